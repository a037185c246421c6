namespace Cairn.Frameworks.ChatTemplates.Syntax;

/// <summary>Parses expressions with Jinja's precedences.</summary>
internal class ExpressionParser(List<Token> tokens)
{
    /// <summary>How deep expressions and statements may nest.</summary>
    private const int MostDepth = 200;
    private static readonly Expression[] Nothing = [];
    private int _next;
    private int _depth;

    protected Token Next => tokens[_next];

    protected Token Take() => tokens[_next < tokens.Count - 1 ? _next++ : _next];

    protected ChatTemplateException Wrong(string problem) => new($"Chat template, line {Next.Line}, column {Next.Column}: {problem}.");

    protected bool Skip(string operation)
    {
        if (!Next.Is(operation)) return false;
        Take();
        return true;
    }

    protected bool SkipName(string name)
    {
        if (!Next.IsName(name)) return false;
        Take();
        return true;
    }

    protected void Expect(string operation)
    {
        if (!Skip(operation)) throw Wrong($"expected '{operation}', found {Next.Shown}");
    }

    protected void ExpectName(string name)
    {
        if (!SkipName(name)) throw Wrong($"expected '{name}', found {Next.Shown}");
    }

    protected string ExpectAnyName() => Next.Kind == TokenKind.Name ? Take().Text : throw Wrong($"expected a name, found {Next.Shown}");

    protected void Enter()
    {
        if (++_depth > MostDepth) throw Wrong($"nests deeper than {MostDepth}");
    }

    protected void Leave() => _depth--;

    /// <summary>An expression, or several with commas between them, which are a tuple.</summary>
    protected Expression Tuple(bool conditional = true)
    {
        var first = conditional ? Any() : Or();
        if (!Next.Is(",")) return first;
        var items = new List<Expression> { first };
        while (Skip(","))
        {
            if (Next.Kind is TokenKind.BlockEnd or TokenKind.PrintEnd || Next.Is(")") || Next.Is("=")) break;
            items.Add(conditional ? Any() : Or());
        }
        return new Expression.ListOf(items, Tuple: true);
    }

    protected Expression Any()
    {
        Enter();
        var value = Or();
        while (SkipName("if"))
        {
            var condition = Or();
            value = new Expression.Conditional(condition, value, SkipName("else") ? Any() : null);
        }
        Leave();
        return value;
    }

    protected Expression Or()
    {
        var left = And();
        while (SkipName("or")) left = new Expression.Binary("or", left, And());
        return left;
    }

    private Expression And()
    {
        var left = Not();
        while (SkipName("and")) left = new Expression.Binary("and", left, Not());
        return left;
    }

    private Expression Not()
    {
        if (!SkipName("not")) return Comparison();
        Enter();
        var operand = Not();
        Leave();
        return new Expression.Unary("not", operand);
    }

    private Expression Comparison()
    {
        var first = Sum();
        var rest = new List<(string, Expression)>();
        while (true)
        {
            if (Next.Kind == TokenKind.Operator && Next.Text is "==" or "!=" or "<" or "<=" or ">" or ">=") rest.Add((Take().Text, Sum()));
            else if (SkipName("in")) rest.Add(("in", Sum()));
            else if (Next.IsName("not") && tokens[_next + 1].IsName("in"))
            {
                Take();
                Take();
                rest.Add(("not in", Sum()));
            }
            else return rest.Count == 0 ? first : new Expression.Compare(first, rest);
        }
    }

    private Expression Sum() => LeftToRight(Concatenation, "+", "-");

    private Expression Concatenation() => LeftToRight(Product, "~");

    private Expression Product() => LeftToRight(Power, "*", "/", "//", "%");

    private Expression Power() => LeftToRight(() => Unary(filtered: true), "**");

    private Expression LeftToRight(Func<Expression> operand, params ReadOnlySpan<string> operators)
    {
        var left = operand();
        while (Next.Kind == TokenKind.Operator && operators.Contains(Next.Text)) left = new Expression.Binary(Take().Text, left, operand());
        return left;
    }

    private Expression Unary(bool filtered)
    {
        Enter();
        Expression value;
        if (Next.Is("-") || Next.Is("+")) value = new Expression.Unary(Take().Text, Unary(filtered: false));
        else value = Primary();
        value = Postfix(value);
        if (filtered) value = Filters(value);
        Leave();
        return value;
    }

    private Expression Primary()
    {
        var token = Next;
        switch (token.Kind)
        {
            case TokenKind.Name:
                Take();
                return token.Text switch
                {
                    "true" or "True" => new Expression.Constant(true),
                    "false" or "False" => new Expression.Constant(false),
                    "none" or "None" => new Expression.Constant(null),
                    _ => new Expression.Variable(token.Text),
                };
            case TokenKind.Text:
                var text = "";
                while (Next.Kind == TokenKind.Text) text += (string)Take().Value!;
                return new Expression.Constant(text);
            case TokenKind.Integer or TokenKind.Real:
                Take();
                return new Expression.Constant(token.Value);
        }
        if (Skip("("))
        {
            if (Skip(")")) return new Expression.ListOf(Nothing, Tuple: true);
            var inside = Tuple();
            Expect(")");
            return inside;
        }
        if (Skip("[")) return new Expression.ListOf(Until("]", Any), Tuple: false);
        if (!Skip("{")) throw Wrong($"expected an expression, found {token.Shown}");
        return new Expression.DictOf(Until("}", () =>
        {
            var key = Any();
            Expect(":");
            return (key, Any());
        }));
    }

    private List<T> Until<T>(string close, Func<T> item)
    {
        var items = new List<T>();
        while (!Skip(close))
        {
            if (items.Count > 0) Expect(",");
            if (items.Count > 0 && Skip(close)) break;
            items.Add(item());
        }
        return items;
    }

    private Expression Postfix(Expression value)
    {
        while (true)
        {
            if (Skip("."))
            {
                value = Next.Kind == TokenKind.Integer
                    ? new Expression.Item(value, new Expression.Constant(Take().Value))
                    : new Expression.Member(value, ExpectAnyName());
            }
            else if (Skip("[")) value = Subscript(value);
            else if (Next.Is("(")) value = new Expression.Call(value, Arguments());
            else return value;
        }
    }

    private Expression Subscript(Expression value)
    {
        var start = Next.Is(":") ? null : Any();
        if (Skip("]")) return new Expression.Item(value, start!);
        Expect(":");
        var stop = Next.Is(":") || Next.Is("]") ? null : Any();
        var step = Skip(":") && !Next.Is("]") ? Any() : null;
        Expect("]");
        return new Expression.Slice(value, start, stop, step);
    }

    protected CallArguments Arguments()
    {
        Expect("(");
        var positional = new List<Expression>();
        var named = new List<(string, Expression)>();
        Expression? starred = null, doubleStarred = null;
        for (var first = true; !Skip(")"); first = false)
        {
            if (!first)
            {
                Expect(",");
                if (Skip(")")) break;
            }
            if (Skip("**")) doubleStarred = Any();
            else if (Skip("*")) starred = Any();
            else if (Next.Kind == TokenKind.Name && tokens[_next + 1].Is("="))
            {
                var name = Take().Text;
                Take();
                named.Add((name, Any()));
            }
            else if (named.Count > 0) throw Wrong("an argument without a name stands after one with a name");
            else positional.Add(Any());
        }
        return new CallArguments(positional, named, starred, doubleStarred);
    }

    private Expression Filters(Expression value)
    {
        while (true)
        {
            if (Skip("|"))
            {
                var (name, arguments) = FilterStep();
                value = new Expression.Filter(value, name, arguments);
            }
            else if (SkipName("is")) value = Test(value);
            else if (Next.Is("(")) value = new Expression.Call(value, Arguments());
            else return value;
        }
    }

    protected FilterStep FilterStep()
    {
        var name = DottedName();
        return new FilterStep(name, Next.Is("(") ? Arguments() : CallArguments.None);
    }

    private string DottedName()
    {
        var name = ExpectAnyName();
        while (Skip(".")) name += "." + ExpectAnyName();
        return name;
    }

    private Expression.Test Test(Expression value)
    {
        var negated = SkipName("not");
        var name = DottedName();
        var arguments = CallArguments.None;
        if (Next.Is("(")) arguments = Arguments();
        else if (Next.Kind is TokenKind.Text or TokenKind.Integer or TokenKind.Real || Next.Is("[") || Next.Is("{")
            || (Next.Kind == TokenKind.Name && Next.Text is not ("else" or "or" or "and" or "is" or "if" or "in" or "not")))
            arguments = new CallArguments([Postfix(Primary())], []);
        return new Expression.Test(value, name, arguments, negated);
    }
}
