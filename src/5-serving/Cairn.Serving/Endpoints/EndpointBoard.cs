using System.Collections.Concurrent;
using Cairn.Contracts.Ids;
using Cairn.Serving.Autoscaling;

namespace Cairn.Serving.Endpoints;

/// <summary>What the reconciler keeps of endpoints between turns and nothing durable depends on; a restart begins it anew.</summary>
internal sealed class EndpointBoard
{
    private readonly ConcurrentDictionary<EndpointId, ScalingMemory> _scaling = new();
    private readonly ConcurrentDictionary<EndpointId, string> _messages = new();
    private readonly ConcurrentDictionary<EndpointId, bool> _withoutModel = new();

    /// <summary>What the last decision handed on; at the first one, that as many are wanted as the row says.</summary>
    public ScalingMemory Scaling(EndpointId endpoint, int wanted, DateTimeOffset now) => _scaling.GetValueOrDefault(endpoint) ?? ScalingMemory.Begun(wanted, now);

    /// <summary>Why there are as many replicas wanted as there are.</summary>
    public string? MessageOf(EndpointId endpoint) => _messages.GetValueOrDefault(endpoint);

    public void Decided(EndpointId endpoint, ScalingDecision decision)
    {
        _scaling[endpoint] = decision.Memory;
        _messages[endpoint] = decision.Message;
    }

    /// <summary>Whether its replicas said that they are no servers of models, though nobody had said so before.</summary>
    public bool ServesNoModel(EndpointId endpoint) => _withoutModel.GetValueOrDefault(endpoint);

    public void Asked(EndpointId endpoint, bool servesNoModel) => _withoutModel[endpoint] = servesNoModel;

    public void Forget(EndpointId endpoint)
    {
        _scaling.TryRemove(endpoint, out _);
        _messages.TryRemove(endpoint, out _);
        _withoutModel.TryRemove(endpoint, out _);
    }
}
