namespace Cairn.Frameworks.ChatTemplates.Syntax;

/// <summary>A parsed statement, with the line that it begins on.</summary>
internal abstract record Statement(int Line)
{
    public sealed record Text(int Line, string Data) : Statement(Line);

    public sealed record Print(int Line, Expression Value) : Statement(Line);

    public sealed record If(int Line, IReadOnlyList<(Expression Condition, IReadOnlyList<Statement> Body)> Branches,
        IReadOnlyList<Statement> Otherwise)
        : Statement(Line);

    public sealed record For(int Line, Target Target, Expression Items, Expression? Condition, IReadOnlyList<Statement> Body,
        IReadOnlyList<Statement> Otherwise, bool Recursive) : Statement(Line);

    public sealed record Set(int Line, Target Target, Expression Value) : Statement(Line);

    /// <summary>The text of a body, through filters, becomes a variable's value.</summary>
    public sealed record SetBlock(int Line, Target Target, IReadOnlyList<FilterStep> Filters, IReadOnlyList<Statement> Body)
        : Statement(Line);

    public sealed record Macro(int Line, string Name, MacroSignature Signature, IReadOnlyList<Statement> Body) : Statement(Line);

    public sealed record CallBlock(int Line, Expression.Call Call, MacroSignature Signature, IReadOnlyList<Statement> Body)
        : Statement(Line);

    public sealed record FilterBlock(int Line, IReadOnlyList<FilterStep> Filters, IReadOnlyList<Statement> Body) : Statement(Line);

    public sealed record With(int Line, IReadOnlyList<(Target Target, Expression Value)> Values, IReadOnlyList<Statement> Body)
        : Statement(Line);

    /// <summary><c>generation</c> marks what a model wrote, for training; its text is as without it.</summary>
    public sealed record Group(int Line, IReadOnlyList<Statement> Body) : Statement(Line);

    public sealed record Break(int Line) : Statement(Line);

    public sealed record Continue(int Line) : Statement(Line);
}

internal sealed record FilterStep(string Name, CallArguments Arguments);

internal sealed record MacroSignature(IReadOnlyList<(string Name, Expression? Default)> Parameters);

/// <summary>What is assigned to: a name, a namespace's attribute, or several to be unpacked.</summary>
internal abstract record Target
{
    public sealed record Name(string Text) : Target;

    public sealed record Attribute(string Namespace, string Text) : Target;

    public sealed record Several(IReadOnlyList<Target> Parts) : Target;
}
