using System.Collections.Concurrent;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using Cairn.Serving.Gateway.Routing;

namespace Cairn.Serving.Gateway.Calls;

/// <summary>One attempt at a request: what was decided and how it went.</summary>
/// <param name="Decision">Null where there was no replica to choose.</param>
internal sealed record AttemptRecord(string Target, RouteDecision? Decision, Func<int, string> NameOfSlot)
{
    public string? Outcome { get; set; }
}

/// <summary>How a request was dealt with, for <c>cairn explain</c>.</summary>
internal sealed class CallRecord(string id, ProjectId project, string key, string model, DateTimeOffset at)
{
    public string Id { get; } = id;

    /// <summary>The id without its prefix; the ids of what is made for the request end in it.</summary>
    public string Number => Id[(Id.IndexOf('_', StringComparison.Ordinal) + 1)..];

    public ProjectId Project { get; } = project;

    public string Key { get; } = key;

    public string Model { get; } = model;

    public DateTimeOffset At { get; } = at;

    public List<AttemptRecord> Attempts { get; } = [];

    public int PromptTokens { get; set; }

    public int PromptBlocks { get; set; }

    public double HeldMs { get; set; }

    public int? Status { get; set; }

    /// <summary>What the client was told instead of an answer.</summary>
    public string? Error { get; set; }

    public TokenUsage? Usage { get; set; }

    public Money Cost { get; set; }
}

/// <summary>The last requests, by id. Older ones are forgotten.</summary>
internal sealed class DecisionLog(int most)
{
    private readonly ConcurrentDictionary<string, CallRecord> _records = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _order = new();

    public void Add(CallRecord record)
    {
        if (most == 0 || !_records.TryAdd(record.Id, record))
            return;
        _order.Enqueue(record.Id);
        while (_records.Count > most && _order.TryDequeue(out var oldest))
            _records.TryRemove(oldest, out _);
    }

    public CallRecord? Find(string id) => _records.GetValueOrDefault(id);
}
