namespace Cairn.Frameworks.Tokenizing.Patterns;

internal enum Greed { Greedy, Lazy, Possessive }

internal enum Edge { LineStart, LineEnd, TextStart, TextEnd, TextEndOrLastNewline, Word, NotWord }

/// <summary>A parsed pattern.</summary>
internal abstract record PatternNode
{
    /// <summary>Whether it can match without consuming anything.</summary>
    public abstract bool MayBeEmpty { get; }

    /// <summary>The number of code points that every match has; null where matches differ.</summary>
    public abstract int? Width { get; }

    public sealed record One(CodePointSet Set) : PatternNode
    {
        public override bool MayBeEmpty => false;
        public override int? Width => 1;
    }

    public sealed record Row(IReadOnlyList<PatternNode> Parts) : PatternNode
    {
        public override bool MayBeEmpty => Parts.All(part => part.MayBeEmpty);
        public override int? Width => Parts.Aggregate((int?)0, (sum, part) => sum + part.Width);
    }

    public sealed record Choice(IReadOnlyList<PatternNode> Parts) : PatternNode
    {
        public override bool MayBeEmpty => Parts.Any(part => part.MayBeEmpty);
        public override int? Width => Parts.All(part => part.Width == Parts[0].Width) ? Parts[0].Width : null;
    }

    public sealed record Repeat(PatternNode Body, int Least, int Most, Greed Greed) : PatternNode
    {
        public override bool MayBeEmpty => Least == 0 || Body.MayBeEmpty;
        public override int? Width => Least == Most ? Least * Body.Width : null;
    }

    public sealed record At(Edge Edge) : PatternNode
    {
        public override bool MayBeEmpty => true;
        public override int? Width => 0;
    }

    public sealed record Look(PatternNode Body, bool Behind, bool Negated) : PatternNode
    {
        public override bool MayBeEmpty => true;
        public override int? Width => 0;
    }

    public sealed record Atomic(PatternNode Body) : PatternNode
    {
        public override bool MayBeEmpty => Body.MayBeEmpty;
        public override int? Width => Body.Width;
    }
}
