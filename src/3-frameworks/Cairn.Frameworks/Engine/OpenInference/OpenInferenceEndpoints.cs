using Cairn.Frameworks.Engine.Hosting;
using Cairn.Frameworks.Engine.Tensors;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Cairn.Frameworks.Engine.OpenInference;

/// <summary>
/// The Open Inference Protocol v2 over REST with Triton's extensions. <c>/v2/health</c> is the host's: it speaks for every kind of model.
/// </summary>
internal static class OpenInferenceEndpoints
{
    public static void AddOpenInference(this IServiceCollection services, TensorOptions options, OpenInferenceParts parts, bool grpc)
    {
        services.AddSingleton(provider =>
            new ModelRepository(options, parts.Time, provider.GetRequiredService<ILogger<ModelRepository>>()));
        if (!grpc)
            return;
        services.AddSingleton(provider => new GrpcInference(provider.GetRequiredService<ModelRepository>(), parts.Models, parts.Readiness));
        services.AddGrpc(grpcOptions =>
        {
            grpcOptions.MaxReceiveMessageSize = options.BodyBytesLimit;
            grpcOptions.MaxSendMessageSize = null;
        });
    }

    public static void MapOpenInference(this IEndpointRouteBuilder app, ModelRepository repository, LoadedModels models, EngineReadiness readiness)
    {
        MetadataEndpoints.Map(app, repository, models);
        InferEndpoints.Map(app, repository, readiness);
        RepositoryEndpoints.Map(app, repository, readiness);
        GenerateEndpoints.Map(app, models, readiness);
    }
}

/// <summary>What the protocol's faces take from the host.</summary>
internal sealed record OpenInferenceParts(LoadedModels Models, EngineReadiness Readiness, TimeProvider Time);
