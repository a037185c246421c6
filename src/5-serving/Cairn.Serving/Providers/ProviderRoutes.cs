using Cairn.Contracts.Api;
using Cairn.Contracts.Units;
using Cairn.Serving.Gateway.Snapshots;

namespace Cairn.Serving.Providers;

/// <summary>Puts providers behind names of models, beside endpoints or alone; pure.</summary>
internal static class ProviderRoutes
{
    /// <summary>
    /// How long a request waits for a replica where a provider can answer instead. Short: whoever keeps a provider behind an endpoint
    /// wants an answer and not a cold start, and the request has woken the endpoint for those that follow.
    /// </summary>
    public static readonly TimeSpan HoldTime = TimeSpan.FromSeconds(1);

    public static IReadOnlyList<ModelRoute> Merge(
        IReadOnlyList<ModelRoute> endpoints, IReadOnlyList<(ModelName Name, ProviderTarget Target, int ContextLength, DateTimeOffset Created)> providers)
    {
        var routes = endpoints.ToDictionary(route => route.Name);
        foreach (var (name, target, context, created) in providers)
        {
            // An endpoint's targets come first, so that their places do not change when a provider goes.
            routes[name] = routes.TryGetValue(name, out var route)
                ? route with { Targets = [.. route.Targets, target], HoldTime = HoldTime }
                : new ModelRoute { Name = name, Targets = [target], Prices = target.Prices!, ContextLength = context, Created = created };
        }
        return [.. routes.Values];
    }

    public static TokenPrices PricesOf(ProviderModelView model) => new(
        Money.FromUsd(model.InputPrice), Money.FromUsd(model.OutputPrice), model.CachedInputPrice is { } cached ? Money.FromUsd(cached) : null);
}
