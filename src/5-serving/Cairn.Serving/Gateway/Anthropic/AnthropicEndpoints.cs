using Cairn.Serving.Gateway.Calls;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace Cairn.Serving.Gateway.Anthropic;

/// <summary>Anthropic's paths.</summary>
public static class AnthropicEndpoints
{
    /// <summary>Maps messages below <c>/v1</c>.</summary>
    public static void MapAnthropic(this IEndpointRouteBuilder routes, InferenceGateway gateway)
    {
        ArgumentNullException.ThrowIfNull(gateway);
        routes.MapPost("/v1/messages", context => gateway.HandleAsync(context, CallKind.Message));
        routes.MapPost("/v1/messages/count_tokens", context => gateway.HandleAsync(context, CallKind.Counting));
    }
}
