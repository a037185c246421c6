using Cairn.Serving.Gateway.Bodies;
using Cairn.Serving.Gateway.Snapshots;

namespace Cairn.Serving.Gateway.Calls;

/// <summary>One kind of request that clients make of a model.</summary>
/// <param name="Path">At the gateway and at replicas.</param>
/// <param name="ProviderPath">Behind a provider's base address.</param>
/// <param name="TellsEnd">Whether an event says that a stream is whole; a stream that ends without it broke off.</param>
internal sealed record CallKind(string Path, string ProviderPath, BodyShape Shape, ApiDialect Dialect, bool TellsEnd)
{
    public static readonly CallKind Chat = new("/v1/chat/completions", "/chat/completions", BodyShape.Chat, ApiDialect.OpenAi, TellsEnd: true);
    public static readonly CallKind Completion = new("/v1/completions", "/completions", BodyShape.Completion, ApiDialect.OpenAi, TellsEnd: true);
    public static readonly CallKind Message = new("/v1/messages", "/messages", BodyShape.Message, ApiDialect.Anthropic, TellsEnd: true);

    /// <summary>How many tokens a message would be; nothing is generated, and nothing charged.</summary>
    public static readonly CallKind Counting = new("/v1/messages/count_tokens", "/messages/count_tokens", BodyShape.Counting, ApiDialect.Anthropic, TellsEnd: false);

    /// <summary>What replicas answer that with; clients do not ask it.</summary>
    public static readonly CallKind Tokenizing = new("/tokenize", "", BodyShape.Counting, ApiDialect.OpenAi, TellsEnd: false);

    public static readonly CallKind Response = new("/v1/responses", "/responses", BodyShape.Response, ApiDialect.OpenAi, TellsEnd: false);
    public static readonly CallKind Embedding = new("/v1/embeddings", "/embeddings", BodyShape.Embedding, ApiDialect.OpenAi, TellsEnd: false);
}
