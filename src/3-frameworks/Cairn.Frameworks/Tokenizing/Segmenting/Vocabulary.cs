using System.Globalization;
using System.Text;
using Cairn.Frameworks.Tokenizing.Reading;

namespace Cairn.Frameworks.Tokenizing.Segmenting;

/// <summary>The model's own tokens by their written form and by their id. Ids may have holes.</summary>
internal sealed class Vocabulary
{
    /// <summary>Sixteen times the largest vocabulary published; an id beyond is taken for a mistake rather than for memory.</summary>
    public const int MostTokens = 1 << 22;
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _byText;
    private readonly int[]? _bytes;
    private readonly List<string?> _written = [];

    /// <param name="tokens">Written form, id and the place it was read from.</param>
    public Vocabulary(IEnumerable<(string Written, int Id, JsonPlace Place)> tokens)
    {
        foreach (var (written, id, place) in tokens)
        {
            if (!_ids.TryAdd(written, id)) place.Refuse("each token once; this one is there before");
            while (_written.Count <= id) _written.Add(null);
            if (_written[id] is { } other) place.Refuse($"an id of its own; '{other}' has it already");
            _written[id] = written;
        }
        _byText = _ids.GetAlternateLookup<ReadOnlySpan<char>>();
        _bytes = FallbackBytes();
    }

    /// <summary>One more than the highest id.</summary>
    public int Size => _written.Count;

    public int Count => _ids.Count;

    public bool TryId(ReadOnlySpan<char> written, out int id) => _byText.TryGetValue(written, out id);

    public string? WrittenOf(int id) => (uint)id < (uint)_written.Count ? _written[id] : null;

    /// <summary>Ids of <c>&lt;0x00&gt;</c> to <c>&lt;0xFF&gt;</c>; null unless all are there.</summary>
    public IReadOnlyList<int>? ByteTokens => _bytes;

    /// <summary>Appends the byte tokens of a text; false, and nothing appended, where the vocabulary lacks one.</summary>
    public bool TryFallBack(ReadOnlySpan<char> text, List<int> ids)
    {
        Span<byte> four = stackalloc byte[4];
        var begun = ids.Count;
        foreach (var rune in text.EnumerateRunes())
        {
            foreach (var value in four[..rune.EncodeToUtf8(four)])
            {
                if (_bytes is not null)
                {
                    ids.Add(_bytes[value]);
                }
                else if (_ids.TryGetValue(ByteToken(value), out var id))
                {
                    ids.Add(id);
                }
                else
                {
                    ids.RemoveRange(begun, ids.Count - begun);
                    return false;
                }
            }
        }
        return true;
    }

    private static string ByteToken(int value) => string.Create(CultureInfo.InvariantCulture, $"<0x{value:X2}>");

    private int[]? FallbackBytes()
    {
        var ids = new int[256];
        for (var value = 0; value < 256; value++)
        {
            if (!_ids.TryGetValue(ByteToken(value), out ids[value])) return null;
        }
        return ids;
    }
}
