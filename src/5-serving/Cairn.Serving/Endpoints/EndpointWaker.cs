using Cairn.Contracts.Ids;
using Cairn.Serving.Gateway.Calls;
using Cairn.State;

namespace Cairn.Serving.Endpoints;

/// <summary>
/// A request waits: the reconciler looks now and not at its next turn. It alone decides, so an endpoint is woken once however many wait.
/// </summary>
internal sealed class EndpointWaker(Store store) : IWakesEndpoints
{
    public void Wake(EndpointId endpoint) => store.Signals.Raise(EndpointRows.Signal);
}
