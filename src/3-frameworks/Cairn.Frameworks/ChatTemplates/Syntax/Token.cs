namespace Cairn.Frameworks.ChatTemplates.Syntax;

internal enum TokenKind { Data, BlockBegin, BlockEnd, PrintBegin, PrintEnd, Name, Text, Integer, Real, Operator, End }

/// <summary>A token of a template, with where it begins.</summary>
internal readonly record struct Token(TokenKind Kind, string Text, int Line, int Column, object? Value = null)
{
    public bool Is(string operation) => Kind == TokenKind.Operator && Text == operation;

    public bool IsName(string name) => Kind == TokenKind.Name && Text == name;

    public string Shown => Kind switch
    {
        TokenKind.End => "the end of the template",
        TokenKind.BlockEnd => "'%}'",
        TokenKind.PrintEnd => "'}}'",
        TokenKind.BlockBegin => "'{%'",
        TokenKind.PrintBegin => "'{{'",
        TokenKind.Data => "text",
        _ => $"'{Text}'",
    };
}
