namespace Cairn.Frameworks.ChatTemplates.Syntax;

/// <summary>Parses a template's statements.</summary>
internal sealed class TemplateParser : ExpressionParser
{
    private const string Known = "for, if, set, macro, call, filter, with, generation, raw, break, continue";

    private TemplateParser(List<Token> tokens) : base(tokens)
    {
    }

    /// <exception cref="ChatTemplateException">The template does not parse; the message has line and column.</exception>
    public static IReadOnlyList<Statement> Parse(string source)
    {
        var parser = new TemplateParser(Lexer.Tokenize(source));
        var body = parser.Body();
        return parser.Next.Kind == TokenKind.End ? body : throw parser.Wrong($"{parser.Next.Shown} closes nothing that is open");
    }

    /// <summary>Statements up to one of the closing words, which is left to be read, or to the end.</summary>
    private List<Statement> Body(params ReadOnlySpan<string> closing)
    {
        Enter();
        var body = new List<Statement>();
        while (Next.Kind != TokenKind.End)
        {
            var token = Take();
            switch (token.Kind)
            {
                case TokenKind.Data:
                    body.Add(new Statement.Text(token.Line, token.Text));
                    break;
                case TokenKind.PrintBegin:
                    body.Add(new Statement.Print(token.Line, Tuple()));
                    if (Next.Kind != TokenKind.PrintEnd) throw Wrong($"expected '}}}}', found {Next.Shown}");
                    Take();
                    break;
                default:
                    if (Next.Kind == TokenKind.Name && closing.Contains(Next.Text))
                    {
                        Leave();
                        return body;
                    }
                    body.Add(Block(token.Line));
                    break;
            }
        }
        if (closing.Length > 0) throw Wrong($"expected '{{% {closing[^1]} %}}', found the end of the template");
        Leave();
        return body;
    }

    private void CloseTag()
    {
        if (Next.Kind != TokenKind.BlockEnd) throw Wrong($"expected '%}}', found {Next.Shown}");
        Take();
    }

    private List<Statement> BodyTo(string end)
    {
        CloseTag();
        var body = Body(end);
        ExpectName(end);
        CloseTag();
        return body;
    }

    private Statement Block(int line)
    {
        var word = Next;
        switch (ExpectAnyName())
        {
            case "if": return If(line);
            case "for": return For(line);
            case "set": return Set(line);
            case "macro":
                var name = ExpectAnyName();
                var signature = Signature();
                var macroBody = BodyTo("endmacro", name);
                return new Statement.Macro(line, name, signature, macroBody);
            case "call":
                var parameters = Next.Is("(") ? Signature() : new MacroSignature([]);
                var call = Any() as Expression.Call ?? throw Wrong("expected a call of a macro");
                return new Statement.CallBlock(line, call, parameters, BodyTo("endcall"));
            case "filter":
                var filters = FilterSteps();
                return new Statement.FilterBlock(line, filters, BodyTo("endfilter"));
            case "with": return With(line);
            case "generation": return new Statement.Group(line, BodyTo("endgeneration"));
            case "break":
                CloseTag();
                return new Statement.Break(line);
            case "continue":
                CloseTag();
                return new Statement.Continue(line);
            default:
                throw new ChatTemplateException(
                    $"Chat template, line {word.Line}, column {word.Column}: '{word.Text}' is no statement that may stand here; expected one of {Known}.");
        }
    }

    /// <summary>A macro's name may be said again at its end.</summary>
    private List<Statement> BodyTo(string end, string name)
    {
        CloseTag();
        var body = Body(end);
        ExpectName(end);
        SkipName(name);
        CloseTag();
        return body;
    }

    private Statement.If If(int line)
    {
        var branches = new List<(Expression, IReadOnlyList<Statement>)>();
        IReadOnlyList<Statement> otherwise = [];
        do
        {
            var condition = Tuple(conditional: false);
            CloseTag();
            branches.Add((condition, Body("elif", "else", "endif")));
        }
        while (SkipName("elif"));
        if (SkipName("else"))
        {
            CloseTag();
            otherwise = Body("endif");
        }
        ExpectName("endif");
        CloseTag();
        return new Statement.If(line, branches, otherwise);
    }

    private Statement.For For(int line)
    {
        var target = Targets();
        ExpectName("in");
        var items = Tuple(conditional: false);
        var condition = SkipName("if") ? Any() : null;
        var recursive = SkipName("recursive");
        CloseTag();
        var body = Body("else", "endfor");
        IReadOnlyList<Statement> otherwise = [];
        if (SkipName("else"))
        {
            CloseTag();
            otherwise = Body("endfor");
        }
        ExpectName("endfor");
        CloseTag();
        return new Statement.For(line, target, items, condition, body, otherwise, recursive);
    }

    private Statement Set(int line)
    {
        var target = Targets();
        if (Skip("="))
        {
            var value = Tuple();
            CloseTag();
            return new Statement.Set(line, target, value);
        }
        var filters = Skip("|") ? FilterSteps() : [];
        return new Statement.SetBlock(line, target, filters, BodyTo("endset"));
    }

    private Statement.With With(int line)
    {
        var values = new List<(Target, Expression)>();
        while (Next.Kind != TokenKind.BlockEnd)
        {
            if (values.Count > 0) Expect(",");
            var target = Single();
            Expect("=");
            values.Add((target, Any()));
        }
        return new Statement.With(line, values, BodyTo("endwith"));
    }

    private List<FilterStep> FilterSteps()
    {
        var steps = new List<FilterStep> { FilterStep() };
        while (Skip("|")) steps.Add(FilterStep());
        return steps;
    }

    private Target Targets()
    {
        var parts = new List<Target> { Single() };
        var several = false;
        while (Skip(","))
        {
            several = true;
            if (Next.IsName("in") || Next.Is("=")) break;
            parts.Add(Single());
        }
        return several ? new Target.Several(parts) : parts[0];
    }

    private Target Single()
    {
        if (Skip("("))
        {
            Enter();
            var inside = Targets();
            Leave();
            Expect(")");
            return inside;
        }
        var name = ExpectAnyName();
        return Skip(".") ? new Target.Attribute(name, ExpectAnyName()) : new Target.Name(name);
    }

    private MacroSignature Signature()
    {
        Expect("(");
        var parameters = new List<(string, Expression?)>();
        while (!Skip(")"))
        {
            if (parameters.Count > 0) Expect(",");
            var name = ExpectAnyName();
            parameters.Add((name, Skip("=") ? Any() : null));
        }
        return new MacroSignature(parameters);
    }
}
