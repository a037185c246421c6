using System.Text.Json.Serialization;
using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Limits;

namespace Cairn.Serving.Gateways;

/// <summary>What a gateway that runs alone tells its server, about every second. Sent again where the reply was lost; it has one effect.</summary>
internal sealed record GatewayReport
{
    /// <summary>Names the gateway for good; made at its first start.</summary>
    public required Guid Gateway { get; init; }

    /// <summary>For people.</summary>
    public required string Name { get; init; }

    public UsageReport? Usage { get; init; }

    public IReadOnlyList<BudgetAsk> Asks { get; init; } = [];

    public IReadOnlyList<SliceReturn> Returns { get; init; } = [];

    public IReadOnlyList<LoadReport> Loads { get; init; } = [];

    public IReadOnlyList<ReplicaLoad> Replicas { get; init; } = [];

    /// <summary>It ends in an orderly way and counts among the gateways no more.</summary>
    public bool Leaving { get; init; }
}

/// <summary>Sums of one hour.</summary>
/// <param name="Sequence">Grows with each; one that was taken before is not taken again.</param>
/// <param name="At">The hour's beginning.</param>
internal sealed record UsageReport(long Sequence, DateTimeOffset At, IReadOnlyList<UsageLine> Lines);

/// <summary>What one key used of one model at one target.</summary>
internal sealed record UsageLine(ProjectId Project, KeyId Key, string Model, EndpointId? Endpoint, string? Provider, long Requests, long Input, long Cached, long Output, Money Cost)
{
    public static UsageLine Of(UsageSubject subject, UsageSum sum) => new(subject.Project, subject.Key, subject.Model, subject.Endpoint, subject.Provider,
        sum.Requests, sum.InputTokens, sum.CachedTokens, sum.OutputTokens, sum.Cost);

    public KeyValuePair<UsageSubject, UsageSum> ToSum() =>
        new(new UsageSubject(Project, Key, Model, Endpoint, Provider), new UsageSum(Requests, Input, Cached, Output, Cost));
}

/// <summary>Asks for a share of a purse.</summary>
/// <param name="Wanted">What requests that wait lack together; zero asks for what is fair.</param>
internal sealed record BudgetAsk([property: JsonPropertyName("key")] PurseId Purse, Money Wanted);

/// <summary>How much of a slice was given back since it was first lent.</summary>
internal sealed record SliceReturn([property: JsonPropertyName("key")] PurseId Purse, BudgetPeriod Period, DateTimeOffset Began, Money Returned);

/// <summary>What an endpoint's requests at the gateway add up to.</summary>
/// <param name="Arrived">Since the last report.</param>
/// <param name="Times">Of answers since the last report: revision, milliseconds to the first token and per token.</param>
internal sealed record LoadReport(EndpointId Endpoint, double Running, double Queued, double Tokens, long Arrived, IReadOnlyList<AnswerTimes> Times, IReadOnlyList<RevisionReport> Revisions);

/// <summary>Attempts at a revision since the last report.</summary>
internal sealed record RevisionReport(int Revision, long Requests, long Failures);

/// <summary>Requests that a replica has from the gateway now.</summary>
internal sealed record ReplicaLoad(TaskId Task, int Requests);

/// <summary>What a gateway knows of a request that somebody asked the server about.</summary>
internal sealed record ExplanationReport
{
    /// <summary>Who tells.</summary>
    public required Guid Gateway { get; init; }

    /// <summary>The request's.</summary>
    public required string Id { get; init; }

    /// <summary>Whose it was; null where the gateway knows no such request.</summary>
    public ProjectId? Project { get; init; }

    public RequestView? Request { get; init; }
}

/// <summary>What the server says to a report.</summary>
internal sealed record ReportReply
{
    /// <summary>The last usage that was taken.</summary>
    public required long Applied { get; init; }

    /// <summary>The gateway's slices that were asked for or changed.</summary>
    public IReadOnlyList<SliceView> Slices { get; init; } = [];

    /// <summary>Purses of which somebody else needs what this gateway holds idle.</summary>
    public IReadOnlyList<PurseId> Recalled { get; init; } = [];

    /// <summary>Purses that were asked for and of which more may come back from other gateways in a moment.</summary>
    public IReadOnlyList<PurseId> Pending { get; init; } = [];
}

/// <summary>A gateway's share of a purse in one period.</summary>
/// <param name="Lent">Ever.</param>
/// <param name="Returned">Of that, given back.</param>
/// <param name="Settled">Of that, what the usage taken so far has spent.</param>
internal sealed record SliceView(
    [property: JsonPropertyName("key")] PurseId Purse, BudgetPeriod Period, DateTimeOffset Began, Money Lent, Money Returned, Money Settled);
