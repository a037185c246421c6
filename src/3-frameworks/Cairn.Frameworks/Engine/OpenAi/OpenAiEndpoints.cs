using Cairn.Frameworks.Engine.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace Cairn.Frameworks.Engine.OpenAi;

/// <summary>OpenAI's routes, and vLLM's that its users expect beside them.</summary>
internal static class OpenAiEndpoints
{
    public static void MapOpenAi(this IEndpointRouteBuilder app, LoadedModels models, EngineReadiness readiness, TimeProvider time)
    {
        ModelEndpoints.Map(app, models);
        _ = readiness;
        _ = time;
    }
}
