namespace Cairn.Frameworks.Tokenizing.Finishing;

/// <summary>One part of what a model is given: special tokens, or the first or second text.</summary>
internal sealed record TemplatePart(int[] Ids, int Text, int Type)
{
    public const int Special = -1;

    public static TemplatePart OfSpecial(int[] ids, int type) => new(ids, Special, type);

    public static TemplatePart OfText(int text, int type) => new([], text, type);
}

/// <summary>What a <c>tokenizer.json</c> calls a post-processor: where special tokens stand around one text and around a pair.</summary>
internal sealed record SpecialsTemplate(IReadOnlyList<TemplatePart> Single, IReadOnlyList<TemplatePart> Pair)
{
    public static SpecialsTemplate None { get; } =
        new([TemplatePart.OfText(0, 0)], [TemplatePart.OfText(0, 0), TemplatePart.OfText(1, 1)]);

    /// <summary>How many special tokens one text or a pair gets.</summary>
    public int SpecialsOf(bool pair) => (pair ? Pair : Single).Sum(part => part.Ids.Length);

    public TokenizedText Apply(ReadOnlySpan<int> first, ReadOnlySpan<int> second, bool pair, bool addSpecialTokens)
    {
        var ids = new List<int>(first.Length + second.Length + SpecialsOf(pair));
        var types = new List<int>(ids.Capacity);
        foreach (var part in pair ? Pair : Single)
        {
            var taken = part.Text switch
            {
                0 => first,
                1 => second,
                _ => addSpecialTokens ? part.Ids : [],
            };
            ids.AddRange(taken);
            for (var i = 0; i < taken.Length; i++) types.Add(part.Type);
        }
        return new TokenizedText([.. ids], [.. types], Truncated: false);
    }
}
