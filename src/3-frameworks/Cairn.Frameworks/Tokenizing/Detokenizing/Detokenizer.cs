namespace Cairn.Frameworks.Tokenizing.Detokenizing;

/// <summary>
/// The bytes that each token adds to a text. A token's bytes depend on nothing but whether it is the first, so that a stream never has to
/// take text back.
/// </summary>
/// <param name="Middle">By id: the bytes that follow other text; empty for an id that no token has.</param>
/// <param name="First">By id: the bytes at the start of a text.</param>
/// <param name="Stripped">What is taken off the start of the whole text, up to <paramref name="MostStripped"/> times.</param>
/// <param name="MostStripped">How often.</param>
internal sealed record Detokenizer(byte[][] Middle, byte[][] First, byte[] Stripped, int MostStripped)
{
    public byte[] BytesOf(int token, bool first)
    {
        var table = first ? First : Middle;
        return (uint)token < (uint)table.Length ? table[token] : [];
    }
}

/// <summary>The start of one text, of which something may have to be taken off.</summary>
internal struct StartStrip(Detokenizer detokenizer)
{
    private int _left = detokenizer.MostStripped;

    /// <summary>What of a token's bytes is shown.</summary>
    public ReadOnlySpan<byte> Apply(ReadOnlySpan<byte> bytes)
    {
        while (_left > 0 && !bytes.IsEmpty)
        {
            if (!bytes.StartsWith(detokenizer.Stripped))
            {
                _left = 0;
                break;
            }
            bytes = bytes[detokenizer.Stripped.Length..];
            _left--;
        }
        return bytes;
    }
}
