using Cairn.Contracts.Ids;
using Cairn.Contracts.Identity;
using Cairn.Contracts.Units;
using Cairn.Serving.Gateway.Limits;
using Cairn.State.Rows;

namespace Cairn.Server.Identity;

internal sealed record ProjectRow
{
    public ProjectId Id { get; init; }

    public string Name { get; init; } = "";

    public DateTimeOffset CreatedAt { get; init; }
}

internal sealed record KeyRow
{
    public const string Columns = "id, name, secret_hash, role, project_id, created_at, expires_at, revoked, parent_id, blocked, models, requests_per_minute, "
        + "tokens_per_minute, parallel_requests, budget, budget_period";

    public KeyId Id { get; init; }

    public string Name { get; init; } = "";

    public string SecretHash { get; init; } = "";

    public Role Role { get; init; }

    public ProjectId ProjectId { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }

    public bool Revoked { get; init; }

    /// <summary>The key that it is under.</summary>
    public KeyId? ParentId { get; init; }

    public bool Blocked { get; init; }

    public JsonText<IReadOnlyList<string>> Models { get; init; } = new([]);

    public long? RequestsPerMinute { get; init; }

    public long? TokensPerMinute { get; init; }

    public int? ParallelRequests { get; init; }

    public Money? Budget { get; init; }

    public BudgetPeriod BudgetPeriod { get; init; }

    /// <summary>Calling models costs money: who only reads may not.</summary>
    public bool MayCallModels() => Role is Role.Inference or >= Role.Member;

    /// <summary>Whether both say the same; lists are compared by what is in them.</summary>
    public bool IsSame(KeyRow other) => this with { Models = other.Models } == other && Models.Value.SequenceEqual(other.Models.Value);

    public KeyLimits Limits() => new()
    {
        RequestsPerMinute = RequestsPerMinute, TokensPerMinute = TokensPerMinute, ParallelRequests = ParallelRequests, Budget = Budget, Period = BudgetPeriod,
    };
}
