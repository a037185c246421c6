using System.Runtime.CompilerServices;
using Cairn.Frameworks.Engine.Hosting;
using Cairn.Frameworks.Engine.OpenInference.Wire;
using Cairn.Frameworks.Engine.Tensors;
using Grpc.Core;

namespace Cairn.Frameworks.Engine.OpenInference;

/// <summary>The protocol over gRPC.</summary>
internal sealed class GrpcInference(ModelRepository repository, LoadedModels models, EngineReadiness readiness)
    : GRPCInferenceService.GRPCInferenceServiceBase
{
    public override Task<ServerLiveResponse> ServerLive(ServerLiveRequest request, ServerCallContext context) =>
        Task.FromResult(new ServerLiveResponse { Live = true });

    public override Task<ServerReadyResponse> ServerReady(ServerReadyRequest request, ServerCallContext context) =>
        Task.FromResult(new ServerReadyResponse { Ready = readiness.Phase == EnginePhase.Ready });

    public override Task<ModelReadyResponse> ModelReady(ModelReadyRequest request, ServerCallContext context)
    {
        if (models.Find(request.Name) is ServedLanguageModel)
            return Task.FromResult(new ModelReadyResponse { Ready = true });
        try
        {
            _ = repository.Find(request.Name, request.Version);
            return Task.FromResult(new ModelReadyResponse { Ready = true });
        }
        catch (RefusedException refused) when (refused.Refusal.Kind is RefusalKind.Unavailable or RefusalKind.NotFound)
        {
            return Task.FromResult(new ModelReadyResponse { Ready = false });
        }
    }

    public override Task<ServerMetadataResponse> ServerMetadata(ServerMetadataRequest request, ServerCallContext context)
    {
        var response = new ServerMetadataResponse
        {
            Name = OpenInference.ServerMetadata.Name, Version = OpenInference.ServerMetadata.Version,
        };
        response.Extensions.AddRange(OpenInference.ServerMetadata.Extensions);
        return Task.FromResult(response);
    }

    public override Task<ModelMetadataResponse> ModelMetadata(ModelMetadataRequest request, ServerCallContext context) => Guard(() =>
    {
        if (models.Find(request.Name) is ServedLanguageModel language)
            return LanguageMetadata.Of(language);
        var model = repository.Find(request.Name, request.Version);
        return OpenInference.ServerMetadata.Of(model, repository.VersionsOf(model.Name));
    });

    public override Task<ModelConfigResponse> ModelConfig(ModelConfigRequest request, ServerCallContext context) =>
        Guard(() => new ModelConfigResponse { Config = repository.Find(request.Name, request.Version).Config });

    public override Task<ModelStatisticsResponse> ModelStatistics(ModelStatisticsRequest request, ServerCallContext context) => Guard(() =>
    {
        var response = new ModelStatisticsResponse();
        IEnumerable<ModelVersion> versions = request.Name.Length == 0 ? repository.Loaded
            : request.Version.Length > 0 ? [repository.Find(request.Name, request.Version)]
            : repository.VersionsOf(repository.Find(request.Name, null).Name);
        response.ModelStats.AddRange(versions.Select(StatisticsMessage.Of));
        return response;
    });

    public override Task<RepositoryIndexResponse> RepositoryIndex(RepositoryIndexRequest request, ServerCallContext context)
    {
        var response = new RepositoryIndexResponse();
        response.Models.AddRange(repository.Index(request.Ready).Select(state => new RepositoryIndexResponse.Types.ModelIndex
        {
            Name = state.Name,
            Version = state.Version,
            State = RepositoryEndpoints.Word(state.State),
            Reason = state.Reason,
        }));
        return Task.FromResult(response);
    }

    public override async Task<RepositoryModelLoadResponse> RepositoryModelLoad(
        RepositoryModelLoadRequest request, ServerCallContext context)
    {
        try
        {
            readiness.RequireNotDraining();
            RepositoryEndpoints.CheckControl(repository);
            await repository.LoadAsync(request.ModelName, Overrides(request), context.CancellationToken);
            return new();
        }
        catch (RefusedException refused)
        {
            throw GrpcStatus.Of(refused.Refusal);
        }
        catch (ModelLoadException failure)
        {
            throw GrpcStatus.Of(new(RefusalKind.Invalid, failure.Message));
        }
    }

    public override async Task<RepositoryModelUnloadResponse> RepositoryModelUnload(
        RepositoryModelUnloadRequest request, ServerCallContext context)
    {
        try
        {
            readiness.RequireNotDraining();
            RepositoryEndpoints.CheckControl(repository);
            await repository.UnloadAsync(request.ModelName, context.CancellationToken);
            return new();
        }
        catch (RefusedException refused)
        {
            throw GrpcStatus.Of(refused.Refusal);
        }
    }

    public override async Task<ModelInferResponse> ModelInfer(ModelInferRequest request, ServerCallContext context)
    {
        try
        {
            return await InferAsync(request, context.CancellationToken);
        }
        catch (RefusedException refused)
        {
            throw GrpcStatus.Of(refused.Refusal);
        }
    }

    public override async Task ModelStreamInfer(
        IAsyncStreamReader<ModelInferRequest> requestStream, IServerStreamWriter<ModelStreamInferResponse> responseStream,
        ServerCallContext context)
    {
        var cancellationToken = context.CancellationToken;
        // Each request is answered before the next is read, so a client that does not read its answers queues nothing here.
        await foreach (var request in requestStream.ReadAllAsync(cancellationToken))
            await foreach (var response in AnswersAsync(request, cancellationToken))
                await responseStream.WriteAsync(response, cancellationToken);
    }

    private async IAsyncEnumerable<ModelStreamInferResponse> AnswersAsync(
        ModelInferRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ModelStreamInferResponse response;
        try
        {
            response = new() { InferResponse = await InferAsync(request, cancellationToken) };
        }
        catch (RefusedException refused)
        {
            // The stream goes on; the client tells its requests apart by id.
            response = new() { ErrorMessage = refused.Message, InferResponse = new() { Id = request.Id, ModelName = request.ModelName } };
        }

        yield return response;
    }

    private async Task<ModelInferResponse> InferAsync(ModelInferRequest request, CancellationToken cancellationToken)
    {
        readiness.RequireNotDraining();
        if (models.Find(request.ModelName) is not null)
            throw RefusedException.Invalid($"'{request.ModelName}' reads texts and takes no tensors; call it over HTTP, by OpenAI's routes");
        var call = GrpcTensors.Read(request);
        var (version, answer) = await repository.InferAsync((request.ModelName, request.ModelVersion), call.Request(), cancellationToken);
        if (answer.Refusal is { } refusal)
            throw new RefusedException(refusal);
        return GrpcTensors.Write(request, version, Classification.Apply(call, version, answer.Outputs!));
    }

    private static ModelOverrides? Overrides(RepositoryModelLoadRequest request)
    {
        if (request.Parameters.Count == 0)
            return null;
        var files = new Dictionary<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);
        string? config = null;
        foreach (var (name, value) in request.Parameters)
        {
            if (name == "config" && value.ParameterChoiceCase == ModelRepositoryParameter.ParameterChoiceOneofCase.StringParam)
                config = value.StringParam;
            else if (name.StartsWith("file:", StringComparison.Ordinal)
                && value.ParameterChoiceCase == ModelRepositoryParameter.ParameterChoiceOneofCase.BytesParam)
                files[name["file:".Length..]] = value.BytesParam.Memory;
            else
                throw RefusedException.Invalid(
                    $"the load parameter '{name}' is not known; 'config' (string) or 'file:VERSION/NAME' (bytes) is expected");
        }

        return new(config, files);
    }

    private static Task<T> Guard<T>(Func<T> answer)
    {
        try
        {
            return Task.FromResult(answer());
        }
        catch (RefusedException refused)
        {
            throw GrpcStatus.Of(refused.Refusal);
        }
    }
}
