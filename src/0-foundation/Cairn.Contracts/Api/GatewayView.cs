using Cairn.Contracts.Ids;

namespace Cairn.Contracts.Api;

/// <summary>A gateway that runs alone (<c>cairn gateway</c>), as <c>GET /api/v1/gateways</c> lists it.</summary>
public sealed record GatewayView
{
    public Guid Id { get; init; }

    public string Name { get; init; } = "";

    /// <summary>The key that it shows.</summary>
    public KeyId Key { get; init; }

    public DateTimeOffset JoinedAt { get; init; }

    /// <summary>Its last report.</summary>
    public DateTimeOffset SeenAt { get; init; }

    /// <summary>Follows the feed of the server that answers.</summary>
    public bool Connected { get; init; }

    /// <summary>It ended in an orderly way, or was forgotten.</summary>
    public bool Departed { get; init; }
}
