namespace Cairn.Frameworks.ChatTemplates.Syntax;

/// <summary>A parsed expression.</summary>
internal abstract record Expression
{
    public sealed record Constant(object? Value) : Expression;

    public sealed record Variable(string Name) : Expression;

    public sealed record ListOf(IReadOnlyList<Expression> Items, bool Tuple) : Expression;

    public sealed record DictOf(IReadOnlyList<(Expression Key, Expression Value)> Entries) : Expression;

    /// <summary><c>value.name</c>: a method before an entry.</summary>
    public sealed record Member(Expression Target, string Name) : Expression;

    /// <summary><c>value[key]</c>: an entry before a method.</summary>
    public sealed record Item(Expression Target, Expression Key) : Expression;

    public sealed record Slice(Expression Target, Expression? Start, Expression? Stop, Expression? Step) : Expression;

    public sealed record Call(Expression Target, CallArguments Arguments) : Expression;

    public sealed record Filter(Expression Target, string Name, CallArguments Arguments) : Expression;

    public sealed record Test(Expression Target, string Name, CallArguments Arguments, bool Negated) : Expression;

    public sealed record Unary(string Operator, Expression Operand) : Expression;

    public sealed record Binary(string Operator, Expression Left, Expression Right) : Expression;

    /// <summary><c>a &lt; b &lt; c</c>: true where each neighbouring pair is.</summary>
    public sealed record Compare(Expression First, IReadOnlyList<(string Operator, Expression Operand)> Rest) : Expression;

    public sealed record Conditional(Expression Condition, Expression Then, Expression? Otherwise) : Expression;
}

/// <summary>What stands between the parentheses of a call; starred ones are a list and a mapping of more.</summary>
internal sealed record CallArguments(IReadOnlyList<Expression> Positional, IReadOnlyList<(string Name, Expression Value)> Named,
    Expression? Starred = null, Expression? DoubleStarred = null)
{
    public static CallArguments None { get; } = new([], []);
}
