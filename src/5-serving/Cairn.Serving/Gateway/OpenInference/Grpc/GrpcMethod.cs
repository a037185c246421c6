namespace Cairn.Serving.Gateway.OpenInference.Grpc;

/// <summary>A call of <c>inference.GRPCInferenceService</c> that goes to a replica.</summary>
/// <param name="ModelField">The number of the field in its request that names the model.</param>
/// <param name="Streams">Whether the client sends many requests and gets as many answers.</param>
internal sealed record GrpcMethod(string Name, uint ModelField, bool Streams)
{
    public const string Package = "/inference.GRPCInferenceService/";

    private static readonly GrpcMethod[] s_all =
    [
        new("ModelInfer", 1, Streams: false),
        new("ModelStreamInfer", 1, Streams: true),
        new("ModelReady", 1, Streams: false),
        new("ModelMetadata", 1, Streams: false),
        new("ModelConfig", 1, Streams: false),
        new("ModelStatistics", 1, Streams: false),
    ];

    public static GrpcMethod? Find(string name) => Array.Find(s_all, m => m.Name == name);
}
