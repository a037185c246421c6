using System.Collections.Frozen;
using Cairn.Contracts.Ids;

namespace Cairn.Serving.Gateway.Snapshots;

/// <summary>
/// All that the gateway knows of models and keys, immutable. The control plane pushes a new one when something changed; serving goes on
/// with the last.
/// </summary>
/// <param name="Version">Grows with every change.</param>
/// <param name="Models">By project and public name.</param>
/// <param name="Keys">By the id that a key's text begins with.</param>
public sealed record GatewaySnapshot(long Version, FrozenDictionary<ModelName, ModelRoute> Models, FrozenDictionary<KeyId, GatewayKey> Keys)
{
    /// <summary>Endpoints by the DNS names of their own; compared without regard to case.</summary>
    public FrozenDictionary<string, HostRoute> Hosts { get; init; } = FrozenDictionary<string, HostRoute>.Empty;

    public static readonly GatewaySnapshot Empty = new(0, FrozenDictionary<ModelName, ModelRoute>.Empty, FrozenDictionary<KeyId, GatewayKey>.Empty);
}

/// <summary>A model's public name within a project.</summary>
public readonly record struct ModelName(ProjectId Project, string Model);
