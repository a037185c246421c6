using Cairn.Serving.Gateway.Bodies;
using Cairn.Serving.Gateway.Snapshots;

namespace Cairn.Serving.Gateway.Calls;

/// <summary>One kind of request that clients make of a model.</summary>
/// <param name="Path">At the gateway and at replicas.</param>
/// <param name="ProviderPath">Behind a provider's base address.</param>
/// <param name="StreamEnd">Bytes that only the last event of a whole stream has; a stream that ends without them broke off.</param>
internal sealed record CallKind(string Path, string ProviderPath, BodyShape Shape, ApiDialect Dialect, byte[] StreamEnd)
{
    public static readonly CallKind Chat = new("/v1/chat/completions", "/chat/completions", BodyShape.Chat, ApiDialect.OpenAi, "[DONE]"u8.ToArray());
    public static readonly CallKind Completion = new("/v1/completions", "/completions", BodyShape.Completion, ApiDialect.OpenAi, "[DONE]"u8.ToArray());
    public static readonly CallKind Message = new("/v1/messages", "/messages", BodyShape.Message, ApiDialect.Anthropic, "\"message_stop\""u8.ToArray());
    public static readonly CallKind Response = new("/v1/responses", "/responses", BodyShape.Response, ApiDialect.OpenAi, []);
    public static readonly CallKind Embedding = new("/v1/embeddings", "/embeddings", BodyShape.Embedding, ApiDialect.OpenAi, []);
}
