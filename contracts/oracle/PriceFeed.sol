// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @title A price that several reporters agree on, read like any aggregator (AggregatorV3Interface).
/// @notice Each reporter reports for the open round. Once enough reports are fresh, their median is the answer and the next
/// round is open. Answers never change, and rounds only go up.
contract PriceFeed {
    struct Round {
        int256 answer;
        uint64 startedAt;
        uint64 updatedAt;
    }

    struct Report {
        int256 answer;
        uint80 roundId;
        uint64 observedAt;
    }

    struct Rules {
        /// @dev Answers outside are refused.
        int256 minAnswer;
        int256 maxAnswer;
        /// @dev Fresh reports that make an answer; more than half of the reporters is sound.
        uint32 minReports;
        /// @dev Seconds after which what was observed no longer counts.
        uint32 maxReportAge;
    }

    uint256 public constant version = 1;
    uint256 public constant maxReporters = 31;
    /// @notice Seconds that the clock of a reporter may be ahead of the chain.
    uint256 public constant clockTolerance = 60;

    uint8 public immutable decimals;
    string public description;
    address public owner;
    address public pendingOwner;
    Rules public rules;
    /// @notice The newest round that has an answer; 0 when there is none.
    uint80 public latestRoundId;
    mapping(address => bool) public isReporter;
    /// @notice What each reporter said last.
    mapping(address => Report) public reports;

    address[] private _reporters;
    mapping(uint80 => Round) private _rounds;

    event AnswerUpdated(int256 indexed current, uint256 indexed roundId, uint256 updatedAt);
    event NewRound(uint256 indexed roundId, address indexed startedBy, uint256 startedAt);
    event Reported(uint256 indexed roundId, address indexed reporter, int256 answer, uint256 observedAt);
    event ReporterAdded(address indexed reporter);
    event ReporterRemoved(address indexed reporter);
    event RulesChanged(int256 minAnswer, int256 maxAnswer, uint32 minReports, uint32 maxReportAge);
    event OwnershipTransferRequested(address indexed from, address indexed to);
    event OwnershipTransferred(address indexed from, address indexed to);

    error NotOwner(address caller);
    error NotReporter(address caller);
    error RoundClosed(uint80 roundId, uint80 openRoundId);
    error RoundNotOpen(uint80 roundId, uint80 openRoundId);
    error StaleReport(uint64 observedAt, uint256 oldestAccepted);
    error FutureReport(uint64 observedAt, uint256 newestAccepted);
    error OlderThanOwnReport(uint64 observedAt, uint64 reportedBefore);
    error AnswerOutOfBand(int256 answer, int256 minAnswer, int256 maxAnswer);
    error InvalidRules();
    error InvalidReporter(address reporter);
    error NoAnswer(uint80 roundId);

    modifier onlyOwner() {
        if (msg.sender != owner) revert NotOwner(msg.sender);
        _;
    }

    constructor(
        uint8 decimals_,
        string memory description_,
        int256 minAnswer,
        int256 maxAnswer,
        uint32 minReports,
        uint32 maxReportAge,
        address[] memory reporters_
    ) {
        decimals = decimals_;
        description = description_;
        owner = msg.sender;
        emit OwnershipTransferred(address(0), msg.sender);
        for (uint256 i = 0; i < reporters_.length; i++) _addReporter(reporters_[i]);
        _setRules(Rules(minAnswer, maxAnswer, minReports, maxReportAge));
    }

    // ------------------------------------------------------------ reporting

    /// @notice The round that reports are for.
    function openRoundId() public view returns (uint80) {
        return latestRoundId + 1;
    }

    /// @notice How far the open round is: who has reported for it keeps a report that is fresh, or may report anew.
    function openRound() external view returns (uint80 roundId, uint64 startedAt, uint256 freshReports) {
        roundId = openRoundId();
        startedAt = _rounds[roundId].startedAt;
        (, freshReports) = _freshAnswers(roundId, _oldestFresh(rules));
    }

    /// @param observedAt Unix time in seconds at which the value was seen; a reporter may replace its report by a newer one.
    function report(uint80 roundId, int256 answer, uint64 observedAt) external {
        if (!isReporter[msg.sender]) revert NotReporter(msg.sender);
        uint80 open = openRoundId();
        if (roundId < open) revert RoundClosed(roundId, open);
        if (roundId > open) revert RoundNotOpen(roundId, open);
        Rules memory rules_ = rules;
        if (answer < rules_.minAnswer || answer > rules_.maxAnswer) {
            revert AnswerOutOfBand(answer, rules_.minAnswer, rules_.maxAnswer);
        }
        uint256 oldest = _oldestFresh(rules_);
        if (observedAt < oldest) revert StaleReport(observedAt, oldest);
        if (observedAt > block.timestamp + clockTolerance) {
            revert FutureReport(observedAt, block.timestamp + clockTolerance);
        }
        Report memory own = reports[msg.sender];
        if (observedAt < own.observedAt || (observedAt == own.observedAt && own.roundId == roundId)) {
            revert OlderThanOwnReport(observedAt, own.observedAt);
        }

        reports[msg.sender] = Report(answer, roundId, observedAt);
        Round storage round = _rounds[roundId];
        if (round.startedAt == 0) {
            round.startedAt = uint64(block.timestamp);
            emit NewRound(roundId, msg.sender, block.timestamp);
        }
        emit Reported(roundId, msg.sender, answer, observedAt);

        (int256[] memory answers, uint256 count) = _freshAnswers(roundId, oldest);
        if (count < rules_.minReports) return;
        int256 median = _median(answers, count);
        round.answer = median;
        round.updatedAt = uint64(block.timestamp);
        latestRoundId = roundId;
        emit AnswerUpdated(median, roundId, block.timestamp);
    }

    // ------------------------------------------------------------ AggregatorV3Interface

    function latestRoundData()
        external
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        return getRoundData(latestRoundId);
    }

    function getRoundData(uint80 roundId_)
        public
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        Round storage round = _rounds[roundId_];
        if (round.updatedAt == 0) revert NoAnswer(roundId_);
        return (roundId_, round.answer, round.startedAt, round.updatedAt, roundId_);
    }

    // ------------------------------------------------------------ owner

    function reporters() external view returns (address[] memory) {
        return _reporters;
    }

    function addReporter(address reporter) external onlyOwner {
        _addReporter(reporter);
    }

    /// @notice What it reported for the open round no longer counts.
    function removeReporter(address reporter) external onlyOwner {
        if (!isReporter[reporter]) revert InvalidReporter(reporter);
        if (_reporters.length - 1 < rules.minReports) revert InvalidRules();
        isReporter[reporter] = false;
        uint256 last = _reporters.length - 1;
        for (uint256 i = 0; i < last; i++) {
            if (_reporters[i] == reporter) _reporters[i] = _reporters[last];
        }
        _reporters.pop();
        emit ReporterRemoved(reporter);
    }

    function setRules(int256 minAnswer, int256 maxAnswer, uint32 minReports, uint32 maxReportAge) external onlyOwner {
        _setRules(Rules(minAnswer, maxAnswer, minReports, maxReportAge));
    }

    function transferOwnership(address to) external onlyOwner {
        pendingOwner = to;
        emit OwnershipTransferRequested(msg.sender, to);
    }

    function acceptOwnership() external {
        if (msg.sender != pendingOwner) revert NotOwner(msg.sender);
        emit OwnershipTransferred(owner, msg.sender);
        owner = msg.sender;
        pendingOwner = address(0);
    }

    // ------------------------------------------------------------ inside

    function _addReporter(address reporter) private {
        if (reporter == address(0) || isReporter[reporter] || _reporters.length == maxReporters) {
            revert InvalidReporter(reporter);
        }
        isReporter[reporter] = true;
        _reporters.push(reporter);
        emit ReporterAdded(reporter);
    }

    function _setRules(Rules memory wanted) private {
        if (
            wanted.minAnswer > wanted.maxAnswer || wanted.minReports == 0 || wanted.minReports > _reporters.length
                || wanted.maxReportAge == 0
        ) revert InvalidRules();
        rules = wanted;
        emit RulesChanged(wanted.minAnswer, wanted.maxAnswer, wanted.minReports, wanted.maxReportAge);
    }

    function _oldestFresh(Rules memory rules_) private view returns (uint256) {
        return block.timestamp > rules_.maxReportAge ? block.timestamp - rules_.maxReportAge : 0;
    }

    /// @dev In rising order, at the head of the list. The band is looked at again: it may have changed since.
    function _freshAnswers(uint80 roundId, uint256 oldest) private view returns (int256[] memory answers, uint256 count) {
        answers = new int256[](_reporters.length);
        for (uint256 i = 0; i < _reporters.length; i++) {
            Report storage given = reports[_reporters[i]];
            if (given.roundId != roundId || given.observedAt < oldest) continue;
            if (given.answer < rules.minAnswer || given.answer > rules.maxAnswer) continue;
            uint256 place = count++;
            for (; place > 0 && answers[place - 1] > given.answer; place--) answers[place] = answers[place - 1];
            answers[place] = given.answer;
        }
    }

    /// @dev Of an even number the mean of the middle two, towards zero.
    function _median(int256[] memory sorted, uint256 count) private pure returns (int256) {
        int256 upper = sorted[count / 2];
        if (count % 2 == 1) return upper;
        int256 lower = sorted[count / 2 - 1];
        // Of different signs the sum cannot overflow, of the same sign the difference cannot.
        if ((lower < 0) != (upper < 0)) return (lower + upper) / 2;
        return lower < 0 ? upper - (upper - lower) / 2 : lower + (upper - lower) / 2;
    }
}
