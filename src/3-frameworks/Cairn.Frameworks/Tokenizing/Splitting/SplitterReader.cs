using Cairn.Frameworks.Tokenizing.Patterns;
using Cairn.Frameworks.Tokenizing.Reading;

namespace Cairn.Frameworks.Tokenizing.Splitting;

/// <summary>Reads <c>pre_tokenizer</c>.</summary>
internal static class SplitterReader
{
    private const int MostDepth = 16;

    private static readonly CodePointSet Punctuation = CodePointSet.Of((33, 47), (58, 64), (91, 96),
        (123, 126)).Add(UnicodeClasses.Named("P")!).Seal();

    private static readonly PatternSplitter Words =
        new(Pattern.Runs(UnicodeClasses.Word, UnicodeClasses.NeitherWordNorSpace), CutBehavior.Removed, invert: true);

    /// <param name="place">The pre-tokenizer's description.</param>
    /// <param name="prefixSpace">What <c>tokenizer_config.json</c> says of a space in front, which counts for a ByteLevel that stands
    /// alone; null where it says nothing.</param>
    /// <param name="depth">How many sequences lie around it.</param>
    public static Splitter Read(JsonPlace place, bool? prefixSpace, int depth = 0) => place.Kind() switch
    {
        "Sequence" when depth < MostDepth =>
            new SplitterChain([.. place.Field("pretokenizers").Items().Select(one => Read(one, null, depth + 1))]),
        "ByteLevel" => new ByteLevelSplitter(prefixSpace ?? place.Flag("add_prefix_space", true), place.Flag("use_regex", true)),
        "Split" => Split(place),
        "Metaspace" => Metaspace(place),
        "Whitespace" => Words,
        "WhitespaceSplit" => new ClassSplitter(UnicodeClasses.Space, CutBehavior.Removed),
        "Punctuation" => new ClassSplitter(Punctuation, Behavior(place.Optional("behavior"), CutBehavior.Isolated)),
        "Digits" => new ClassSplitter(UnicodeClasses.Named("N")!.Seal(),
            place.Flag("individual_digits", false) ? CutBehavior.Isolated : CutBehavior.Contiguous),
        "BertPreTokenizer" => new SplitterChain(
            [new ClassSplitter(UnicodeClasses.Space, CutBehavior.Removed), new ClassSplitter(Punctuation, CutBehavior.Isolated)]),
        "CharDelimiterSplit" => new TextSplitter(Delimiter(place.Field("delimiter")), CutBehavior.Removed, invert: false),
        _ => throw place.Field("type").Wrong("one of the pre-tokenizers Sequence (nested up to 16 deep), ByteLevel, Split, Metaspace, Whitespace, "
            + "WhitespaceSplit, Punctuation, Digits, BertPreTokenizer, CharDelimiterSplit"),
    };

    private static Splitter Split(JsonPlace place)
    {
        var behavior = Behavior(place.Field("behavior"), CutBehavior.Isolated);
        var invert = place.Flag("invert", false);
        var pattern = place.Field("pattern");
        if (pattern.Optional("String") is { } text) return new TextSplitter(Delimiter(text), behavior, invert);
        return new PatternSplitter(ReadPattern(pattern.Field("Regex")), behavior, invert);
    }

    public static Pattern ReadPattern(JsonPlace place)
    {
        try
        {
            return Pattern.Parse(place.Text());
        }
        catch (FormatException e)
        {
            throw place.Wrong($"a supported regular expression: {e.Message}", e);
        }
    }

    private static MetaspaceSplitter Metaspace(JsonPlace place)
    {
        var replacement = Replacement(place);
        var scheme = place.Optional("prepend_scheme");
        var prepend = scheme?.Text() switch
        {
            null => place.Flag("add_prefix_space", true) ? PrependScheme.Always : PrependScheme.Never,
            "always" => PrependScheme.Always,
            "first" => PrependScheme.First,
            "never" => PrependScheme.Never,
            _ => throw scheme.Value.Wrong("always, first or never"),
        };
        return new MetaspaceSplitter(replacement, prepend, place.Flag("split", true));
    }

    public static char Replacement(JsonPlace place)
    {
        if (place.Optional("replacement") is not { } written) return '▁';
        var text = written.Text();
        return text.Length == 1 && !char.IsSurrogate(text[0]) ? text[0] : throw written.Wrong("one character");
    }

    private static string Delimiter(JsonPlace place) => place.Text() is { Length: > 0 } text
        ? text : throw place.Wrong("a text that is not empty");

    private static CutBehavior Behavior(JsonPlace? place, CutBehavior otherwise) => place is null ? otherwise : place.Value.Text() switch
    {
        "Removed" => CutBehavior.Removed,
        "Isolated" => CutBehavior.Isolated,
        "MergedWithPrevious" => CutBehavior.MergedWithPrevious,
        "MergedWithNext" => CutBehavior.MergedWithNext,
        "Contiguous" => CutBehavior.Contiguous,
        _ => throw place.Value.Wrong("Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous"),
    };
}
