namespace Cairn.Frameworks.Tokenizing.Segmenting;

/// <summary>What a <c>tokenizer.json</c> calls its model: cuts a piece of text into tokens. Safe for concurrent use.</summary>
internal abstract class Segmenter(Vocabulary vocabulary)
{
    public Vocabulary Vocabulary { get; } = vocabulary;

    /// <summary>Appends the ids of a piece's tokens.</summary>
    public abstract void Segment(ReadOnlySpan<char> piece, List<int> ids);
}
