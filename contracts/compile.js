// Compiles the contracts of this folder and writes artifacts/*.json, or those of another folder given
// as the argument. The bytecode depends on the sources, the settings below and the compiler's version only.
"use strict";

const fs = require("fs");
const path = require("path");
const solc = require("solc");

const OWN = ["SessionAccount", "SessionAccountFactory", "TestToken", "Counter"];
// Contracts that others deployed on every chain, as their packages ship them.
const FOREIGN = {
  EntryPointV07: ["aa07", "EntryPoint"],
  SimpleAccountFactoryV07: ["aa07", "SimpleAccountFactory"],
  SimpleAccountV07: ["aa07", "SimpleAccount"],
  VerifyingPaymasterV07: ["aa07", "VerifyingPaymaster"],
  EntryPointV08: ["@account-abstraction/contracts", "EntryPoint"],
  SimpleAccountFactoryV08: ["@account-abstraction/contracts", "SimpleAccountFactory"],
  SimpleAccountV08: ["@account-abstraction/contracts", "SimpleAccount"],
};
const SETTINGS = {
  evmVersion: "shanghai",
  optimizer: { enabled: true, runs: 1000 },
  // No hash of the sources at the end of the code: a comment must not move every address.
  metadata: { bytecodeHash: "none", appendCBOR: false },
  outputSelection: { "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] } },
};

function compiled() {
  const sources = {};
  for (const name of OWN) {
    sources[`${name}.sol`] = { content: fs.readFileSync(path.join(__dirname, `${name}.sol`), "utf8") };
  }
  const input = { language: "Solidity", sources, settings: SETTINGS };
  const output = JSON.parse(solc.compile(JSON.stringify(input)));
  const complaints = output.errors ?? [];
  if (complaints.length > 0) {
    throw new Error(complaints.map((item) => item.formattedMessage).join("\n"));
  }
  return OWN.map((name) => {
    const { abi, evm } = output.contracts[`${name}.sol`][name];
    return {
      contractName: name,
      compiler: `solc ${solc.version()}`,
      abi,
      bytecode: `0x${evm.bytecode.object}`,
      deployedBytecode: `0x${evm.deployedBytecode.object}`,
    };
  });
}

function foreign() {
  return Object.entries(FOREIGN).map(([contractName, [folder, name]]) => {
    const root = path.join(__dirname, "..", "node_modules", folder);
    const { version } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8"));
    const artifact = JSON.parse(fs.readFileSync(path.join(root, "artifacts", `${name}.json`), "utf8"));
    const { abi, bytecode, deployedBytecode } = artifact;
    const compiler = `@account-abstraction/contracts ${version}, unmodified`;
    return { contractName, compiler, abi, bytecode, deployedBytecode };
  });
}

const target = process.argv[2] ?? path.join(__dirname, "artifacts");
fs.mkdirSync(target, { recursive: true });
for (const artifact of [...compiled(), ...foreign()]) {
  const text = JSON.stringify(artifact, null, 1);
  fs.writeFileSync(path.join(target, `${artifact.contractName}.json`), `${text}\n`);
}
