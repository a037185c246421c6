using Cairn.Contracts.Ids;
using Cairn.Serving.Gateway.Limits;

namespace Cairn.Serving.Gateway.Snapshots;

/// <summary>A key that may call models.</summary>
public sealed record GatewayKey
{
    public required KeyId Id { get; init; }

    /// <summary>For people, headers and bills.</summary>
    public required string Name { get; init; }

    /// <summary>SHA-256 of the key's secret; the secret itself is kept nowhere.</summary>
    public required ReadOnlyMemory<byte> SecretHash { get; init; }

    public required ProjectId Project { get; init; }

    /// <summary>The key that this one is under: its limits hold too, and it may use no model that its parent may not.</summary>
    public KeyId? Parent { get; init; }

    /// <summary>Names, or beginnings that end in <c>*</c>; empty allows all of the project's.</summary>
    public IReadOnlyList<string> Models { get; init; } = [];

    public DateTimeOffset? ExpiresAt { get; init; }

    public bool Blocked { get; init; }

    public KeyLimits Limits { get; init; } = KeyLimits.None;

    /// <summary>Whether the key itself allows a model; its parents are asked besides.</summary>
    public bool Allows(string model)
    {
        foreach (var allowed in Models)
        {
            if (allowed.EndsWith('*') ? model.AsSpan().StartsWith(allowed.AsSpan(0, allowed.Length - 1), StringComparison.Ordinal) : model == allowed)
                return true;
        }
        return Models.Count == 0;
    }
}
