using Cairn.Contracts.Ids;
using Cairn.Contracts.Identity;
using Cairn.Contracts.Units;

namespace Cairn.Contracts.Api;

public sealed record ProjectView(ProjectId Id, string Name, DateTimeOffset CreatedAt);

/// <summary>POST /api/v1/projects.</summary>
public sealed record CreateProjectRequest(string Name);

/// <summary>GET /api/v1/keys, and the answer that makes or changes one.</summary>
/// <param name="Key">The key's text: only in the answer that makes it.</param>
public sealed record KeyView(
    KeyId Id, string Name, Role Role, string Project, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, bool Revoked, string? Key)
{
    /// <summary>The key that it is under; it is held to that one's limits too.</summary>
    public KeyId? Parent { get; init; }

    /// <summary>Let in nowhere until it is unblocked.</summary>
    public bool Blocked { get; init; }

    /// <summary>What it may call models by; null where nothing is limited.</summary>
    public KeyLimitsView? Limits { get; init; }

    /// <summary>What it, and keys under it, spent on models in the budget's period; without a budget, ever.</summary>
    public Money Spent { get; init; }

    /// <summary>Of the budget, what is neither spent nor reserved by requests under way; null without a budget.</summary>
    public Money? Remaining { get; init; }

    /// <summary>When the budget begins anew.</summary>
    public DateTimeOffset? RenewsAt { get; init; }
}

/// <summary>What a key may use of models. Null sets no limit.</summary>
public sealed record KeyLimitsView
{
    /// <summary>Names of models, or beginnings that end in <c>*</c>; null or empty allows all of the project's. At most 100.</summary>
    public IReadOnlyList<string>? Models { get; init; }

    /// <summary>In any 60 seconds, at least 1.</summary>
    public long? RequestsPerMinute { get; init; }

    /// <summary>Prompt and output together, in any 60 seconds, at least 1.</summary>
    public long? TokensPerMinute { get; init; }

    /// <summary>At once, at least 1.</summary>
    public int? ParallelRequests { get; init; }

    /// <summary>Dollars per period.</summary>
    public Money? Budget { get; init; }

    /// <summary>One of <c>total</c>, <c>daily</c>, <c>weekly</c>, <c>monthly</c>, from midnight UTC; default <c>total</c>.</summary>
    public string? BudgetPeriod { get; init; }
}

/// <summary>POST /api/v1/keys.</summary>
public sealed record CreateKeyRequest
{
    public required string Name { get; init; }

    public Role Role { get; init; } = Role.Member;

    public string Project { get; init; } = "default";

    /// <summary>Null never expires.</summary>
    public long? ValidSeconds { get; init; }

    /// <summary>Id, or name within the project, of the key that it is under.</summary>
    public string? Parent { get; init; }

    public KeyLimitsView? Limits { get; init; }
}

/// <summary>POST /api/v1/keys/{id}: what is named replaces what was.</summary>
public sealed record ChangeKeyRequest
{
    public bool? Blocked { get; init; }

    public KeyLimitsView? Limits { get; init; }

    /// <summary>
    /// Limits to take away: <c>models</c>, <c>requests_per_minute</c>, <c>tokens_per_minute</c>, <c>parallel_requests</c>, <c>budget</c>.
    /// </summary>
    public IReadOnlyList<string>? Unlimited { get; init; }
}
