// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// What EntryPoint 0.7 and 0.8 hand to an account (ERC-4337).
struct PackedUserOperation {
    address sender;
    uint256 nonce;
    bytes initCode;
    bytes callData;
    bytes32 accountGasLimits;
    uint256 preVerificationGas;
    bytes32 gasFees;
    bytes paymasterAndData;
    bytes signature;
}

/// A wallet with one owner, who may lend a part of its power to another key by one signature.
///
/// The owner acts by calls of its own or by UserOperations. Another key acts by UserOperations that
/// carry a grant signed by the owner: which targets and selectors, how much value per call, how much
/// of one token and of gas in all, from when until when. Nothing is on chain until a grant is used.
///
/// Each wallet is a clone whose code ends with its owner; it has no initializer and no upgrade.
/// UNAUDITED.
contract SessionAccount {
    struct Call {
        address target;
        uint256 value;
        bytes data;
    }

    /// `selector` 0 stands for a transfer of native currency without data, and for nothing else.
    struct Permission {
        address target;
        bytes4 selector;
        uint256 maxValue;
    }

    /// `gasCap`: wei that operations without a paymaster may reserve in all; the highest number of
    /// its type means no limit, 0 that each must be sponsored. `spendCap`: units of `spendToken` in
    /// all; no token, no limit.
    struct Grant {
        address signer;
        uint48 validAfter;
        uint48 validUntil;
        uint256 epoch;
        bytes32 policyId;
        uint256 gasCap;
        address spendToken;
        uint256 spendCap;
        Permission[] permissions;
    }

    event GrantRevoked(bytes32 indexed grantHash);
    event AllGrantsRevoked(uint256 epoch);

    error NotFromEntryPoint();
    error NotAuthorized();

    bytes32 private constant DOMAIN_TYPE = keccak256("EIP712Domain(uint256 chainId,address verifyingContract)");
    bytes32 private constant GRANT_TYPE = keccak256(
        "Grant(address signer,uint48 validAfter,uint48 validUntil,uint256 epoch,bytes32 policyId,uint256 gasCap,"
        "address spendToken,uint256 spendCap,Permission[] permissions)"
        "Permission(address target,bytes4 selector,uint256 maxValue)"
    );
    bytes32 private constant PERMISSION_TYPE =
        keccak256("Permission(address target,bytes4 selector,uint256 maxValue)");
    bytes32 private constant MESSAGE_TYPE = keccak256("WalletMessage(bytes32 hash)");

    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;
    uint256 private constant OWNER_SIGNATURE = 65;
    uint256 private constant FAILED = 1;
    // Code of a clone: 45 bytes that forward every call, then the owner.
    uint256 private constant CLONE_CODE = 45;

    bytes4 private constant TRANSFER = bytes4(keccak256("transfer(address,uint256)"));
    bytes4 private constant TRANSFER_FROM = bytes4(keccak256("transferFrom(address,address,uint256)"));
    bytes4 private constant APPROVE = bytes4(keccak256("approve(address,uint256)"));
    bytes4 private constant INCREASE_ALLOWANCE = bytes4(keccak256("increaseAllowance(address,uint256)"));

    address public immutable entryPoint;

    /// Grants of another epoch than this do not count.
    uint256 public epoch;
    mapping(bytes32 grantHash => bool) public revoked;
    /// Units of the grant's token that operations under it were allowed to move so far.
    mapping(bytes32 grantHash => uint256) public spent;
    /// Wei that operations under a grant reserved for gas so far.
    mapping(bytes32 grantHash => uint256) public gasReserved;

    constructor(address entryPoint_) {
        entryPoint = entryPoint_;
    }

    receive() external payable {}

    // ---- acting

    function execute(address target, uint256 value, bytes calldata data) external {
        _onlyEntryPointOrOwner();
        _call(target, value, data);
    }

    /// All calls or none.
    function executeBatch(Call[] calldata calls) external {
        _onlyEntryPointOrOwner();
        for (uint256 i = 0; i < calls.length; i++) {
            _call(calls[i].target, calls[i].value, calls[i].data);
        }
    }

    // ---- taking grants back: by the owner's transaction, or by the owner's UserOperation that calls
    // this wallet through `execute`. No grant reaches these: a wallet is never a permitted target.

    function revokeGrant(bytes32 hash) external {
        _onlyOwnerOrSelf();
        revoked[hash] = true;
        emit GrantRevoked(hash);
    }

    function revokeAllGrants() external {
        _onlyOwnerOrSelf();
        epoch += 1;
        emit AllGrantsRevoked(epoch);
    }

    // ---- ERC-4337

    /// `signature` is the owner's (65 bytes, over the EIP-191 message of `userOpHash`), or the ABI
    /// encoding of (Grant, owner's signature of the grant, signer's signature). The signer signs the
    /// EIP-191 message of keccak256(userOpHash, grantHash), so nobody can put another grant in its place.
    /// What a grant does not cover fails as a wrong signature does. All checks run in any case: an
    /// estimate with a made-up signature costs what the real one will.
    function validateUserOp(PackedUserOperation calldata userOp, bytes32 userOpHash, uint256 missingAccountFunds)
        external
        returns (uint256 validationData)
    {
        if (msg.sender != entryPoint) revert NotFromEntryPoint();
        if (userOp.signature.length == OWNER_SIGNATURE) {
            validationData = _signed(owner(), _message(userOpHash), userOp.signature) ? 0 : FAILED;
        } else {
            validationData = _validateGrant(userOp, userOpHash);
        }
        if (missingAccountFunds != 0) {
            // Whether it was enough is for the EntryPoint to judge.
            assembly ("memory-safe") {
                pop(call(gas(), caller(), missingAccountFunds, 0, 0, 0, 0))
            }
        }
    }

    // ---- reading

    /// Zero where this code does not run as a clone.
    function owner() public view returns (address result) {
        assembly ("memory-safe") {
            if eq(extcodesize(address()), add(CLONE_CODE, 20)) {
                extcodecopy(address(), 12, CLONE_CODE, 20)
                result := and(mload(0), 0xffffffffffffffffffffffffffffffffffffffff)
            }
        }
    }

    /// The EIP-712 digest that the owner signs; also the grant's name in this contract.
    function grantHash(Grant memory grant) public view returns (bytes32) {
        bytes32[] memory permissions = new bytes32[](grant.permissions.length);
        for (uint256 i = 0; i < permissions.length; i++) {
            Permission memory item = grant.permissions[i];
            permissions[i] = keccak256(abi.encode(PERMISSION_TYPE, item.target, item.selector, item.maxValue));
        }
        bytes memory head = abi.encode(
            GRANT_TYPE, grant.signer, grant.validAfter, grant.validUntil, grant.epoch, grant.policyId, grant.gasCap
        );
        bytes memory tail =
            abi.encode(grant.spendToken, grant.spendCap, keccak256(abi.encodePacked(permissions)));
        return _typedDigest(keccak256(bytes.concat(head, tail)));
    }

    /// What the owner signs to make `isValidSignature(hash)` true: bound to this wallet, so that the
    /// signature is of no use at another wallet of the same owner.
    function messageHash(bytes32 hash) public view returns (bytes32) {
        return _typedDigest(keccak256(abi.encode(MESSAGE_TYPE, hash)));
    }

    /// ERC-1271, for the owner only.
    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        return _signed(owner(), messageHash(hash), signature) ? this.isValidSignature.selector : bytes4(0xffffffff);
    }

    // ---- receiving tokens

    function onERC721Received(address, address, uint256, bytes calldata) external pure returns (bytes4) {
        return this.onERC721Received.selector;
    }

    function onERC1155Received(address, address, uint256, uint256, bytes calldata) external pure returns (bytes4) {
        return this.onERC1155Received.selector;
    }

    function onERC1155BatchReceived(address, address, uint256[] calldata, uint256[] calldata, bytes calldata)
        external
        pure
        returns (bytes4)
    {
        return this.onERC1155BatchReceived.selector;
    }

    /// ERC-165: itself, ERC-721 and ERC-1155 receivers, ERC-1271.
    function supportsInterface(bytes4 id) external pure returns (bool) {
        return id == 0x01ffc9a7 || id == 0x150b7a02 || id == 0x4e2312e0 || id == 0x1626ba7e;
    }

    // ---- grants

    function _validateGrant(PackedUserOperation calldata userOp, bytes32 userOpHash) private returns (uint256) {
        (Grant memory grant, bytes memory ownerSignature, bytes memory signerSignature) =
            abi.decode(userOp.signature, (Grant, bytes, bytes));
        bytes32 hash = grantHash(grant);
        bool valid = _signed(owner(), hash, ownerSignature);
        valid = _signed(grant.signer, _message(keccak256(abi.encode(userOpHash, hash))), signerSignature) && valid;
        valid = !revoked[hash] && grant.epoch == epoch && grant.validUntil != 0 && valid;
        valid = _reserveGas(grant, hash, userOp) && valid;
        valid = _covers(grant, hash, userOp.callData) && valid;
        return (valid ? 0 : FAILED) | (uint256(grant.validUntil) << 160) | (uint256(grant.validAfter) << 208);
    }

    /// Gas is the wallet's money too: without this a signer could send all of it to a block builder.
    function _reserveGas(Grant memory grant, bytes32 hash, PackedUserOperation calldata userOp)
        private
        returns (bool)
    {
        if (userOp.paymasterAndData.length != 0) {
            // The EntryPoint lets the account pay where the paymaster's address is zero.
            return address(bytes20(userOp.paymasterAndData)) != address(0);
        }
        if (grant.gasCap == type(uint256).max) return true;
        // None of these is above 2**128, and the EntryPoint refused gas above 2**120 before it came here.
        uint256 limits = (uint256(userOp.accountGasLimits) >> 128) + uint128(uint256(userOp.accountGasLimits));
        uint256 cost = (limits + userOp.preVerificationGas) * uint128(uint256(userOp.gasFees));
        uint256 before = gasReserved[hash];
        if (before > grant.gasCap || cost > grant.gasCap - before) return false;
        gasReserved[hash] = before + cost;
        return true;
    }

    /// Whether every call is permitted, and the tokens that they may move fit under the cap.
    function _covers(Grant memory grant, bytes32 hash, bytes calldata callData) private returns (bool) {
        Call[] memory calls;
        if (bytes4(callData) == this.execute.selector) {
            calls = new Call[](1);
            (calls[0].target, calls[0].value, calls[0].data) = abi.decode(callData[4:], (address, uint256, bytes));
        } else if (bytes4(callData) == this.executeBatch.selector) {
            calls = abi.decode(callData[4:], (Call[]));
        }
        if (calls.length == 0) return false;
        uint256 before = grant.spendToken == address(0) ? 0 : spent[hash];
        uint256 total = before;
        for (uint256 i = 0; i < calls.length; i++) {
            if (!_permitted(grant.permissions, calls[i])) return false;
            if (grant.spendToken == address(0) || calls[i].target != grant.spendToken) continue;
            (bool known, uint256 amount) = _tokensMoved(calls[i].data);
            if (!known || total > grant.spendCap || amount > grant.spendCap - total) return false;
            total += amount;
        }
        if (total != before) spent[hash] = total;
        return true;
    }

    function _permitted(Permission[] memory permissions, Call memory item) private view returns (bool) {
        if (item.target == address(this) || item.target == entryPoint) return false;
        bytes4 selector = bytes4(item.data);
        bool form = item.data.length == 0 || (item.data.length >= 4 && selector != 0);
        for (uint256 i = 0; i < permissions.length; i++) {
            Permission memory allowed = permissions[i];
            if (allowed.target == item.target && allowed.selector == selector && item.value <= allowed.maxValue) {
                return form;
            }
        }
        return false;
    }

    /// An approval counts in full, each time. Whatever else a capped token offers is not known to be
    /// harmless, hence refused.
    function _tokensMoved(bytes memory data) private pure returns (bool known, uint256 amount) {
        bytes4 selector = bytes4(data);
        uint256 end = selector == TRANSFER || selector == APPROVE || selector == INCREASE_ALLOWANCE
            ? 68
            : selector == TRANSFER_FROM ? 100 : 0;
        known = end != 0 && data.length >= end;
        if (known) {
            assembly ("memory-safe") {
                amount := mload(add(data, end))
            }
        }
    }

    // ---- the rest

    function _onlyEntryPointOrOwner() private view {
        if (msg.sender != entryPoint && msg.sender != owner()) revert NotAuthorized();
    }

    function _onlyOwnerOrSelf() private view {
        if (msg.sender != address(this) && msg.sender != owner()) revert NotAuthorized();
    }

    function _call(address target, uint256 value, bytes calldata data) private {
        (bool success, bytes memory result) = target.call{value: value}(data);
        if (!success) {
            assembly ("memory-safe") {
                revert(add(result, 32), mload(result))
            }
        }
    }

    function _typedDigest(bytes32 structHash) private view returns (bytes32) {
        bytes32 domain = keccak256(abi.encode(DOMAIN_TYPE, block.chainid, address(this)));
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    function _message(bytes32 hash) private pure returns (bytes32) {
        return keccak256(abi.encodePacked("\x19Ethereum Signed Message:\n32", hash));
    }

    /// 65 bytes r, s, v with v 27 or 28 and s in the lower half: one signature has one form.
    function _signed(address expected, bytes32 digest, bytes memory signature) private pure returns (bool) {
        if (signature.length != 65) return false;
        bytes32 r;
        bytes32 s;
        uint8 v;
        assembly ("memory-safe") {
            r := mload(add(signature, 32))
            s := mload(add(signature, 64))
            v := byte(0, mload(add(signature, 96)))
        }
        if (uint256(s) > HALF_ORDER) return false;
        address recovered = ecrecover(digest, v, r, s);
        return recovered != address(0) && recovered == expected;
    }
}
