using System.Globalization;

namespace Cairn.Frameworks.Tokenizing.Normalizing;

/// <summary>What Unicode's normalisation forms are made of. Read once, when a tokenizer first needs it.</summary>
internal sealed class NormalizationTable
{
    private const string Resource = "Cairn.Frameworks.Tokenizing.Normalizing.normalization.txt";
    private static readonly Lazy<NormalizationTable> Loaded = new(() => new NormalizationTable());
    private readonly Dictionary<int, int[]> _canonical = [];
    private readonly Dictionary<int, int[]> _compatible = [];
    private readonly Dictionary<int, byte> _classes = [];
    private readonly Dictionary<(int, int), int> _pairs = [];

    private NormalizationTable()
    {
        using var stream = typeof(NormalizationTable).Assembly.GetManifestResourceStream(Resource)!;
        using var reader = new StreamReader(stream);
        var composites = new List<int>();
        foreach (var entry in reader.ReadToEnd().Split([';', '\n'], StringSplitOptions.RemoveEmptyEntries)) Add(entry, composites);
        var whole = composites.ToDictionary(Key);
        foreach (var composite in composites)
        {
            var parts = _canonical[composite];
            var before = parts.Length == 2 ? parts[0] : whole[Text(parts.AsSpan(..^1))];
            _pairs.Add((before, parts[^1]), composite);
        }
    }

    public static NormalizationTable Instance => Loaded.Value;

    /// <summary>A character's whole decomposition; null where it stands for itself.</summary>
    public int[]? DecompositionOf(int codePoint, bool compatible) =>
        compatible && _compatible.TryGetValue(codePoint, out var wide) ? wide : _canonical.GetValueOrDefault(codePoint);

    public byte ClassOf(int codePoint) => _classes.GetValueOrDefault(codePoint);

    /// <summary>The character that two compose to; -1 where they do not.</summary>
    public int Compose(int first, int second) => _pairs.GetValueOrDefault((first, second), -1);

    private string Key(int composite) => Text(_canonical[composite]);

    private static string Text(ReadOnlySpan<int> codePoints)
    {
        var text = "";
        foreach (var codePoint in codePoints) text += char.ConvertFromUtf32(codePoint);
        return text;
    }

    private void Add(string entry, List<int> composites)
    {
        var at = entry.AsSpan().IndexOfAny(">!~-");
        var first = Hex(entry.AsSpan(0, at));
        if (entry[at] == '-')
        {
            var equals = entry.IndexOf('=', StringComparison.Ordinal);
            var (last, number) = (Hex(entry.AsSpan(at + 1, equals - at - 1)), (byte)Hex(entry.AsSpan(equals + 1)));
            for (var c = first; c <= last; c++) _classes.Add(c, number);
            return;
        }
        int[] parts = [.. entry[(at + 1)..].Split(' ').Select(part => Hex(part))];
        (entry[at] == '~' ? _compatible : _canonical).Add(first, parts);
        if (entry[at] == '>') composites.Add(first);
    }

    private static int Hex(ReadOnlySpan<char> digits) => int.Parse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
