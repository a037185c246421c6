using Cairn.Frameworks.Engine.Batching;

namespace Cairn.Frameworks.Engine.Decoding;

/// <summary>
/// A decoder's graph with its rows of keys and values. Two kinds of graph need two ways: those that update the cache in place, and those
/// that append to it. Used by one thread at a time.
/// </summary>
internal interface IDecoder : IDisposable
{
    int VocabularySize { get; }

    /// <summary>Of all layers' keys and values of one block of tokens.</summary>
    int BlockBytes { get; }

    /// <summary>Runs tokens behind the <paramref name="past"/> ones that the row holds.</summary>
    /// <returns>The last token's logits; the caller may overwrite them, the next run does.</returns>
    Span<float> Prefill(int row, ReadOnlySpan<int> tokens, int past);

    /// <summary>Runs one token in each of the rows 0, 1, …, behind the past tokens of each.</summary>
    /// <returns>Logits, row after row; the caller may overwrite them, the next run does.</returns>
    Span<float> Decode(ReadOnlySpan<int> tokens, ReadOnlySpan<int> pasts);

    void Swap(RowSwap swap);

    /// <summary>Copies a whole block of a row out.</summary>
    void Save(int row, int start, Span<byte> block);

    /// <summary>Copies blocks into a row that holds <paramref name="start"/> tokens, one after the other.</summary>
    /// <param name="pool">Where the blocks lie, each at its slot.</param>
    void Restore(int row, int start, ReadOnlySpan<int> slots, NativeBuffer pool);

    /// <summary>The row holds nothing any more; its memory may be given back.</summary>
    void Empty(int row);
}
