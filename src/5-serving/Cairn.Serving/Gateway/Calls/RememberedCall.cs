using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateway.Routing;

namespace Cairn.Serving.Gateway.Calls;

/// <summary>
/// One place of the log: a request under way, or what is left of one that is over. That points to nothing that was made for the request, but where it was refused or tried more
/// than once.
/// </summary>
internal struct RememberedCall(CallRecord record)
{
    private readonly RequestNumber _number = RequestNumber.Parse(record.Id) ?? throw new ArgumentException($"'{record.Id}' is no request's name.", nameof(record));
    private CallRecord? _underWay = record;

    private ProjectId _project;
    private (string Key, string Model) _names;
    private DateTimeOffset _at;
    private (int Tokens, int Blocks) _prompt;
    private double _heldMs;
    private (int? Status, string? Error) _answer;
    private (TokenUsage? Usage, Money Cost) _used;

    private (string Target, RouteDecision? Decision, ReplicaPool? Pool, string? Outcome)? _attempt;
    private List<AttemptRecord>? _attempts;

    public readonly bool Is(RequestNumber number) => _number == number && _number != default;

    /// <summary>Keeps what a request's record says; nothing where another request has the place by now.</summary>
    public void End(CallRecord record)
    {
        if (!ReferenceEquals(_underWay, record))
            return;
        _underWay = null;
        (_project, _names, _at) = (record.Project, (record.Key, record.Model), record.At);
        (_prompt, _heldMs) = ((record.PromptTokens, record.PromptBlocks), record.HeldMs);
        (_answer, _used) = ((record.Status, record.Error), (record.Usage, record.Cost));
        if (record.Attempts is [{ } only])
            _attempt = (only.Target, only.Decision, only.Pool, only.Outcome);
        else if (record.Attempts.Count > 1)
            _attempts = record.Attempts;
    }

    public readonly CallRecord ToRecord() => _underWay ?? new CallRecord(_number.ToString(), _project, _names.Key, _names.Model, _at)
    {
        PromptTokens = _prompt.Tokens,
        PromptBlocks = _prompt.Blocks,
        HeldMs = _heldMs,
        Status = _answer.Status,
        Error = _answer.Error,
        Usage = _used.Usage,
        Cost = _used.Cost,
        Attempts = _attempt is var (target, decision, pool, outcome) ? [new AttemptRecord(target, decision, pool) { Outcome = outcome }] : _attempts ?? [],
    };
}
