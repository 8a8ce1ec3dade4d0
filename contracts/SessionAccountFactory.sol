// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SessionAccount} from "./SessionAccount.sol";

/// Makes the wallets of an owner at addresses that are known beforehand (EIP-1167 clones by CREATE2).
/// UNAUDITED.
contract SessionAccountFactory {
    error DeploymentFailed();

    SessionAccount public immutable accountImplementation;

    constructor(address entryPoint) {
        accountImplementation = new SessionAccount(entryPoint);
    }

    /// The wallet number `salt` of `owner`, made if it is not there yet.
    function createAccount(address owner, uint256 salt) external returns (address account) {
        account = getAddress(owner, salt);
        if (account.code.length != 0) return account;
        bytes memory code = _initCode(owner);
        assembly ("memory-safe") {
            account := create2(0, add(code, 32), mload(code), salt)
        }
        if (account == address(0)) revert DeploymentFailed();
    }

    function getAddress(address owner, uint256 salt) public view returns (address) {
        bytes32 codeHash = keccak256(_initCode(owner));
        return address(uint160(uint256(keccak256(abi.encodePacked(hex"ff", address(this), salt, codeHash)))));
    }

    /// Puts 65 bytes in place: the 45 of EIP-1167, then the owner.
    function _initCode(address owner) private view returns (bytes memory) {
        return abi.encodePacked(
            hex"6100413d81600a3d39f3363d3d373d3d3d363d73",
            address(accountImplementation),
            hex"5af43d82803e903d91602b57fd5bf3",
            owner
        );
    }
}
