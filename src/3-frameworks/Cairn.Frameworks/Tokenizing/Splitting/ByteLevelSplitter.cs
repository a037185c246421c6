using System.Buffers;
using System.Text;
using Cairn.Frameworks.Tokenizing.Patterns;

namespace Cairn.Frameworks.Tokenizing.Splitting;

/// <summary>
/// Writes each piece's UTF-8 bytes as one printable character a byte, after GPT-2's cutting into words where the file asks for it.
/// </summary>
internal sealed class ByteLevelSplitter(bool addPrefixSpace, bool cutWords) : Splitter
{
    private static readonly Pattern Words =
        Pattern.Parse(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+");

    private static readonly PatternSplitter WordSplitter = new(Words, CutBehavior.Isolated, invert: false);

    public override void Split(ReadOnlySpan<char> text, bool first, PieceSink next)
    {
        if (addPrefixSpace && text[0] != ' ') text = string.Concat(" ", text);
        if (cutWords) WordSplitter.Split(text, first, (piece, at) => Write(piece, at, next));
        else Write(text, first, next);
    }

    private static void Write(ReadOnlySpan<char> piece, bool first, PieceSink next)
    {
        const int onStack = 256;
        var most = Encoding.UTF8.GetMaxByteCount(piece.Length);
        var rentedBytes = most > onStack ? ArrayPool<byte>.Shared.Rent(most) : null;
        var rentedChars = most > onStack ? ArrayPool<char>.Shared.Rent(most) : null;
        var bytes = rentedBytes is null ? stackalloc byte[onStack] : rentedBytes;
        var chars = rentedChars is null ? stackalloc char[onStack] : rentedChars;
        var count = Encoding.UTF8.GetBytes(piece, bytes);
        for (var i = 0; i < count; i++) chars[i] = ByteCharacters.Of(bytes[i]);
        next(chars[..count], first);
        if (rentedBytes is not null) ArrayPool<byte>.Shared.Return(rentedBytes);
        if (rentedChars is not null) ArrayPool<char>.Shared.Return(rentedChars);
    }
}

/// <summary>
/// GPT-2's alphabet: printable Latin-1 characters stand for themselves, the other bytes for the characters from U+0100 on, in order.
/// </summary>
internal static class ByteCharacters
{
    private static readonly char[] Characters = Make();
    private static readonly short[] Bytes = Invert();

    public static char Of(byte value) => Characters[value];

    /// <summary>-1 for a character that stands for no byte.</summary>
    public static int ByteOf(char character) => character < Bytes.Length ? Bytes[character] : -1;

    private static char[] Make()
    {
        var characters = new char[256];
        var next = 256;
        for (var value = 0; value < 256; value++)
        {
            characters[value] = value is >= '!' and <= '~' or >= 0xA1 and <= 0xAC or >= 0xAE ? (char)value : (char)next++;
        }
        return characters;
    }

    private static short[] Invert()
    {
        var bytes = new short[512];
        Array.Fill(bytes, (short)-1);
        for (var value = 0; value < 256; value++) bytes[Characters[value]] = (short)value;
        return bytes;
    }
}
