using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Cairn.Frameworks.Tokenizing.Reading;

namespace Cairn.Frameworks.Tokenizing.Normalizing;

/// <summary>
/// SentencePiece's compiled table of replacements: a double-array trie in Darts-clone's layout over UTF-8, whose values point into a
/// block of texts that end in a zero. As in Hugging Face's tokenizers, a short grapheme cluster is looked up as a whole first and then
/// character by character.
/// </summary>
internal sealed class CharacterMap : Normalizer
{
    private const int LongestCluster = 6;
    private readonly uint[] _units;
    private readonly byte[] _texts;

    private CharacterMap(uint[] units, byte[] texts)
    {
        _units = units;
        _texts = texts;
    }

    public static CharacterMap Read(JsonPlace place)
    {
        byte[] map;
        try
        {
            map = Convert.FromBase64String(place.Text());
        }
        catch (FormatException e)
        {
            throw place.Wrong("base64", e);
        }
        var size = map.Length >= 4 ? BinaryPrimitives.ReadUInt32LittleEndian(map) : uint.MaxValue;
        if (size > map.Length - 4 || size % 4 != 0 || size == 0) place.Refuse("a trie's size, the trie and its texts");
        var units = new uint[size / 4];
        for (var i = 0; i < units.Length; i++) units[i] = BinaryPrimitives.ReadUInt32LittleEndian(map.AsSpan(4 + 4 * i));
        return new CharacterMap(units, map[(4 + (int)size)..]);
    }

    public override string Normalize(string text)
    {
        var output = new StringBuilder(text.Length);
        var clusters = StringInfo.GetTextElementEnumerator(text);
        while (clusters.MoveNext())
        {
            var cluster = clusters.GetTextElement();
            if (Encoding.UTF8.GetByteCount(cluster) < LongestCluster && Find(cluster) is { } whole)
            {
                output.Append(whole);
                continue;
            }
            foreach (var rune in cluster.EnumerateRunes()) output.Append(Find(rune.ToString()) ?? rune.ToString());
        }
        return output.ToString();
    }

    /// <summary>What stands for a text that begins with one of the map's; null where none does. Of several the shortest counts.</summary>
    private string? Find(string text)
    {
        Span<byte> bytes = stackalloc byte[16];
        var node = Offset(_units[0]);
        foreach (var value in bytes[..Encoding.UTF8.GetBytes(text, bytes)])
        {
            node ^= value;
            if (value == 0 || node >= _units.Length) return null;
            var unit = _units[node];
            if ((unit & 0x800000FF) != value) return null;
            node ^= Offset(unit);
            if ((unit >> 8 & 1) == 0) continue;
            return node < _units.Length ? TextAt((int)(_units[node] & int.MaxValue)) : null;
        }
        return null;
    }

    private string? TextAt(int start)
    {
        if (start >= _texts.Length) return null;
        var rest = _texts.AsSpan(start);
        var end = rest.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? rest : rest[..end]);
    }

    private static uint Offset(uint unit) => unit >> 10 << (int)((unit & 1 << 9) >> 6);
}
