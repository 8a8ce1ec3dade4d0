// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Something of everything that an ABI can hold: for tests.
contract Counter {
    struct Line {
        address token;
        uint256 amount;
    }

    struct Order {
        uint256 id;
        bool open;
        bytes32 tag;
        string note;
        Line[] lines;
    }

    event Counted(address indexed by, uint256 count);
    event Noted(string indexed topic, bytes data, int256 delta);
    event OrderPlaced(uint256 indexed id, Order order);

    error TooMuch(uint256 have, uint256 limit);
    error Refused();

    uint256 public constant LIMIT = 1000;

    uint256 public count;
    int256 public temperature;
    mapping(address by => uint256) public countOf;
    mapping(uint256 id => Order) private _orders;

    receive() external payable {}

    // ---- writing

    function increment() external returns (uint256) {
        return _add(1);
    }

    function add(uint256 amount) external returns (uint256) {
        return _add(amount);
    }

    /// The second of two functions with one name.
    function add(uint256 amount, string calldata note) external returns (uint256) {
        emit Noted(note, bytes(note), int256(amount));
        return _add(amount);
    }

    function setTemperature(int256 value) external {
        temperature = value;
    }

    function deposit() external payable returns (uint256) {
        emit Counted(msg.sender, count);
        return msg.value;
    }

    function place(Order calldata order) external returns (uint256) {
        Order storage kept = _orders[order.id];
        kept.id = order.id;
        kept.open = order.open;
        kept.tag = order.tag;
        kept.note = order.note;
        delete kept.lines;
        for (uint256 i = 0; i < order.lines.length; i++) {
            kept.lines.push(order.lines[i]);
        }
        emit OrderPlaced(order.id, order);
        return order.lines.length;
    }

    // ---- reading

    function orderOf(uint256 id) external view returns (Order memory) {
        return _orders[id];
    }

    function sum(uint256[] calldata values) external pure returns (uint256 total) {
        for (uint256 i = 0; i < values.length; i++) {
            total += values[i];
        }
    }

    function totals(Line[][] calldata groups) external pure returns (uint256[] memory result) {
        result = new uint256[](groups.length);
        for (uint256 i = 0; i < groups.length; i++) {
            for (uint256 j = 0; j < groups[i].length; j++) {
                result[i] += groups[i][j].amount;
            }
        }
    }

    function summary() external view returns (uint256 counted, int256 degrees, address self, bool any) {
        return (count, temperature, address(this), count != 0);
    }

    function pair() external pure returns (uint256, string memory) {
        return (7, "seven");
    }

    function sender() external view returns (address) {
        return msg.sender;
    }

    // ---- failing

    function refuse() external pure {
        revert Refused();
    }

    function refuseWithText() external pure {
        revert("not today");
    }

    function refuseWithoutReason() external pure {
        assembly {
            revert(0, 0)
        }
    }

    function divide(uint256 a, uint256 b) external pure returns (uint256) {
        return a / b;
    }

    function _add(uint256 amount) private returns (uint256) {
        uint256 next = count + amount;
        if (next > LIMIT) revert TooMuch(next, LIMIT);
        count = next;
        countOf[msg.sender] += amount;
        emit Counted(msg.sender, next);
        return next;
    }
}
