namespace Cairn.Frameworks.Engine.OpenAi;

/// <summary>What <c>/v1/embeddings</c> asks of a served model.</summary>
public interface ITextEmbedder
{
    /// <summary>Numbers per vector.</summary>
    int Dimensions { get; }

    /// <summary>One vector per input, in their order; of an input that is longer than the model reads, the beginning's.</summary>
    /// <exception cref="ArgumentException">An input has no tokens, or a token is not of the model's vocabulary; the message says
    /// which.</exception>
    Task<EmbeddedTexts> EmbedAsync(IReadOnlyList<EmbeddingInput> inputs, CancellationToken cancellationToken);
}

/// <summary>A text, or the tokens of one.</summary>
public readonly record struct EmbeddingInput(string? Text, int[]? Tokens);

/// <summary>Vectors, and how many tokens were read for them.</summary>
public sealed record EmbeddedTexts(IReadOnlyList<float[]> Vectors, int PromptTokens);
