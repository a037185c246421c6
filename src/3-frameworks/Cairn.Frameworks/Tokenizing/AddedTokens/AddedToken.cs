namespace Cairn.Frameworks.Tokenizing.AddedTokens;

/// <summary>A token beside the model's own vocabulary, found in a text before anything else looks at it.</summary>
internal sealed record AddedToken(int Id, string Content)
{
    /// <summary>Never shown, never allowed in constrained text.</summary>
    public bool Special { get; init; }

    /// <summary>Only where no word character stands next to it.</summary>
    public bool SingleWord { get; init; }

    /// <summary>Takes the white space before it along.</summary>
    public bool StripLeft { get; init; }

    /// <summary>Takes the white space after it along.</summary>
    public bool StripRight { get; init; }

    /// <summary>Looked for in the normalised text rather than in the text as it came.</summary>
    public bool Normalized { get; init; }
}
