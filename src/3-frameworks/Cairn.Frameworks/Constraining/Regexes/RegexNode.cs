namespace Cairn.Frameworks.Constraining.Regexes;

/// <summary>A parsed regular expression.</summary>
internal abstract record RegexNode
{
    public sealed record Set(CodeSet Codes) : RegexNode;
    public sealed record Sequence(IReadOnlyList<RegexNode> Parts) : RegexNode;
    public sealed record Alternatives(IReadOnlyList<RegexNode> Parts) : RegexNode;

    /// <param name="Maximum">Null for no end.</param>
    public sealed record Repeat(RegexNode Part, int Minimum, int? Maximum) : RegexNode;

    /// <summary><c>^</c> or <c>$</c>.</summary>
    public sealed record Anchor(bool IsStart) : RegexNode;
}
