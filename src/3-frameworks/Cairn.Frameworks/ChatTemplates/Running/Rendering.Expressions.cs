using System.Runtime.CompilerServices;
using Cairn.Frameworks.ChatTemplates.Builtins;
using Cairn.Frameworks.ChatTemplates.Syntax;
using Cairn.Frameworks.ChatTemplates.Values;

namespace Cairn.Frameworks.ChatTemplates.Running;

internal sealed partial class Rendering
{
    private object? Evaluate(Expression expression)
    {
        budget.Step();
        RuntimeHelpers.EnsureSufficientExecutionStack();
        switch (expression)
        {
            case Expression.Constant constant: return constant.Value;
            case Expression.Variable variable: return _scope.TryGet(variable.Name, out var found)
                ? found : new Undefined($"'{variable.Name}'");
            case Expression.ListOf list: return new TemplateList([.. list.Items.Select(Evaluate)], list.Tuple);
            case Expression.DictOf dict: return Dict(dict);
            case Expression.Member member: return Members.Get(Weighed(Evaluate(member.Target)), member.Name);
            case Expression.Item item: return Members.Item(Evaluate(item.Target), Evaluate(item.Key));
            case Expression.Slice slice: return Bounded(Sequences.Slice(Evaluate(slice.Target), Optional(slice.Start),
                Optional(slice.Stop), Optional(slice.Step)));
            case Expression.Call call: return Call(Evaluate(call.Target), Arguments(Shown(call.Target), call.Arguments));
            case Expression.Filter filter:
                return Bounded(Filters.Apply(this, filter.Name, Weighed(Evaluate(filter.Target)),
                    Arguments(filter.Name, filter.Arguments)));
            case Expression.Test test:
                return Tests.Holds(test.Name, Weighed(Evaluate(test.Target)), Arguments(test.Name, test.Arguments)) != test.Negated;
            case Expression.Unary unary: return Unary(unary);
            case Expression.Binary binary: return Binary(binary);
            case Expression.Compare compare: return Compare(compare);
            case Expression.Conditional choice:
                return PythonOperators.Truth(Evaluate(choice.Condition)) ? Evaluate(choice.Then)
                    : choice.Otherwise is { } otherwise ? Evaluate(otherwise)
                    : new Undefined("the inline if without an else, whose condition is false,");
            default: throw new TemplateFault("an unknown kind of expression");
        }
    }

    /// <summary>What goes through a whole value takes steps by its size.</summary>
    private object? Weighed(object? value)
    {
        budget.Step(value switch
        {
            string text => text.Length / 256,
            TemplateList list => list.Items.Count / 16,
            TemplateDict dict => dict.Count / 16,
            _ => 0,
        });
        return value;
    }

    private object? Optional(Expression? expression) => expression is null ? null : Evaluate(expression);

    private static string Shown(Expression target) => target switch
    {
        Expression.Variable variable => variable.Name,
        Expression.Member member => member.Name,
        _ => "the call",
    };

    private TemplateDict Dict(Expression.DictOf expression)
    {
        var dict = new TemplateDict();
        foreach (var (key, value) in expression.Entries) dict.Put(Evaluate(key), Evaluate(value));
        return dict;
    }

    private Arguments Arguments(string called, CallArguments arguments)
    {
        var positional = arguments.Positional.Select(argument => Weighed(Evaluate(argument))).ToList();
        if (arguments.Starred is { } starred) positional.AddRange(Sequences.Iterate(Evaluate(starred)));
        var named = arguments.Named.ToDictionary(one => one.Name, one => Evaluate(one.Value), StringComparer.Ordinal);
        if (arguments.DoubleStarred is { } more)
        {
            if (Evaluate(more) is not TemplateDict dict) throw new TemplateFault("'**' needs a dict");
            foreach (var (key, value) in dict) named[key as string ?? throw new TemplateFault("'**' needs texts as keys")] = value;
        }
        return new Arguments(called, positional, named);
    }

    private object? Unary(Expression.Unary unary)
    {
        var operand = Evaluate(unary.Operand);
        return unary.Operator switch
        {
            "not" => !PythonOperators.Truth(operand),
            "-" => PythonOperators.Negate(operand),
            _ => PythonOperators.Binary("+", 0L, operand),
        };
    }

    private object? Binary(Expression.Binary binary)
    {
        var left = Evaluate(binary.Left);
        switch (binary.Operator)
        {
            case "and": return PythonOperators.Truth(left) ? Evaluate(binary.Right) : left;
            case "or": return PythonOperators.Truth(left) ? left : Evaluate(binary.Right);
            case "~": return budget.Text(PythonText.Str(left) + PythonText.Str(Evaluate(binary.Right)));
            default: return Bounded(PythonOperators.Binary(binary.Operator, left, Evaluate(binary.Right)));
        }
    }

    private bool Compare(Expression.Compare compare)
    {
        var left = Evaluate(compare.First);
        foreach (var (operation, operand) in compare.Rest)
        {
            var right = Weighed(Evaluate(operand));
            var holds = operation switch
            {
                "==" => PythonOperators.Same(left, right),
                "!=" => !PythonOperators.Same(left, right),
                "in" => PythonOperators.Contains(right, left),
                "not in" => !PythonOperators.Contains(right, left),
                "<" => PythonOperators.Order(left, right) < 0,
                "<=" => PythonOperators.Order(left, right) <= 0,
                ">" => PythonOperators.Order(left, right) > 0,
                _ => PythonOperators.Order(left, right) >= 0,
            };
            if (!holds) return false;
            left = right;
        }
        return true;
    }
}
