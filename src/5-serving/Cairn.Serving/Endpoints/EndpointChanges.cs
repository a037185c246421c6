using Cairn.Serving.Autoscaling;

namespace Cairn.Serving.Endpoints;

/// <summary>What one decision changes.</summary>
/// <param name="Endpoint">With what was decided of it.</param>
/// <param name="Replicas">Those that changed, and those that begin.</param>
/// <param name="Events">For people: kind and message.</param>
/// <param name="Ended">Whether the endpoint is over.</param>
internal sealed record EndpointChanges(
    EndpointRow Endpoint,
    IReadOnlyList<ReplicaRow> Replicas,
    IReadOnlyList<ReplicaRow> Begun,
    IReadOnlyList<(string Kind, string Message)> Events,
    ScalingDecision? Scaling,
    bool WentBack,
    bool Ended)
{
    public bool IsNothing(EndpointRow before) =>
        Replicas.Count == 0 && Begun.Count == 0 && Events.Count == 0 && !Ended && Endpoint == before;
}
