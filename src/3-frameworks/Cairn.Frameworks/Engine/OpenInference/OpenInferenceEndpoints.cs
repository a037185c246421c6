using Cairn.Frameworks.Engine.Hosting;
using Cairn.Frameworks.Engine.Tensors;
using Microsoft.AspNetCore.Routing;

namespace Cairn.Frameworks.Engine.OpenInference;

/// <summary>
/// The Open Inference Protocol v2 over REST with Triton's extensions. <c>/v2/health</c> is the host's: it speaks for every kind of model.
/// </summary>
internal static class OpenInferenceEndpoints
{
    public static void MapOpenInference(this IEndpointRouteBuilder app, ModelRepository repository, LoadedModels models)
    {
        MetadataEndpoints.Map(app, repository, models);
        InferEndpoints.Map(app, repository);
        RepositoryEndpoints.Map(app, repository);
        GenerateEndpoints.Map(app, models);
    }
}
