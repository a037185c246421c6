namespace Cairn.Frameworks.Engine.OpenAi;

/// <summary>What <c>/v1/embeddings</c> asks of a served model.</summary>
public interface ITextEmbedder
{
    /// <summary>Numbers per vector.</summary>
    int Dimensions { get; }

    /// <summary>One vector per input, in their order.</summary>
    /// <exception cref="ArgumentException">An input is longer than the model reads, or a token is not of its vocabulary; the message says which.</exception>
    Task<EmbeddedTexts> EmbedAsync(IReadOnlyList<EmbeddingInput> inputs, CancellationToken cancellationToken);
}

/// <summary>A text, or the tokens of one.</summary>
public readonly record struct EmbeddingInput(string? Text, int[]? Tokens);

/// <summary>Vectors, and how many tokens were read for them.</summary>
public sealed record EmbeddedTexts(IReadOnlyList<float[]> Vectors, int PromptTokens);
