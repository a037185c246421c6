using System.Text;
using Cairn.Frameworks.ChatTemplates.Syntax;
using Cairn.Frameworks.ChatTemplates.Values;

namespace Cairn.Frameworks.ChatTemplates.Running;

/// <summary>One rendering: runs statements over scopes, and writes.</summary>
internal sealed partial class Rendering(Budget budget, DateTimeOffset now)
{
    private enum Flow { On, Break, Continue }

    private StringBuilder _output = new();
    private Scope _scope = new(null);

    public Budget Budget => budget;

    public string Render(IReadOnlyList<Statement> body, TemplateDict variables)
    {
        foreach (var (name, function) in Builtins.Globals.Make(now)) _scope.Set(name, function);
        foreach (var (name, value) in variables) _scope.Set((string)name, value);
        Run(body);
        return _output.ToString();
    }

    private Flow Run(IReadOnlyList<Statement> body)
    {
        System.Runtime.CompilerServices.RuntimeHelpers.EnsureSufficientExecutionStack();
        foreach (var statement in body)
        {
            try
            {
                budget.Step();
                var flow = Run(statement);
                if (flow != Flow.On) return flow;
            }
            catch (TemplateFault fault)
            {
                throw new ChatTemplateException($"Chat template, line {statement.Line}: {fault.Message}.", fault);
            }
        }
        return Flow.On;
    }

    private Flow Run(Statement statement)
    {
        switch (statement)
        {
            case Statement.Text text:
                Write(text.Data);
                return Flow.On;
            case Statement.Print print:
                Write(PythonText.Str(Evaluate(print.Value)));
                return Flow.On;
            case Statement.If choice:
                foreach (var (condition, body) in choice.Branches)
                {
                    if (PythonOperators.Truth(Evaluate(condition))) return Run(body);
                }
                return Run(choice.Otherwise);
            case Statement.For loop:
                Loop(loop, Sequences.Iterate(Evaluate(loop.Items)), 0);
                return Flow.On;
            case Statement.Set set:
                Assign(set.Target, Evaluate(set.Value));
                return Flow.On;
            case Statement.SetBlock set:
                Assign(set.Target, Apply(set.Filters, Captured(() => Run(set.Body))));
                return Flow.On;
            case Statement.Macro macro:
                _scope.Set(macro.Name, Macro(macro.Name, macro.Signature, macro.Body));
                return Flow.On;
            case Statement.CallBlock call:
                Write(PythonText.Str(CallWith(call)));
                return Flow.On;
            case Statement.FilterBlock filter:
                Write(PythonText.Str(Apply(filter.Filters, Inner(() => Captured(() => Run(filter.Body))))));
                return Flow.On;
            case Statement.With with:
                return Inner(() =>
                {
                    foreach (var (target, value) in with.Values) Assign(target, Evaluate(value));
                    return Run(with.Body);
                });
            case Statement.Group group:
                return Run(group.Body);
            case Statement.Break:
                return Flow.Break;
            default:
                return Flow.Continue;
        }
    }

    private void Write(string text)
    {
        if (_output.Length + text.Length > Budget.MostCharacters) throw new TemplateFault($"the output is longer than {Budget.MostCharacters} characters");
        budget.Step(text.Length / 64);
        _output.Append(text);
    }

    private T Inner<T>(Func<T> run)
    {
        var outer = _scope;
        _scope = new Scope(outer);
        try
        {
            return run();
        }
        finally
        {
            _scope = outer;
        }
    }

    private string Captured(Action run)
    {
        var outer = _output;
        _output = new StringBuilder();
        try
        {
            run();
            return budget.Text(_output.ToString());
        }
        finally
        {
            _output = outer;
        }
    }

    private object? Apply(IReadOnlyList<FilterStep> filters, object? value)
    {
        foreach (var (name, arguments) in filters) value = Builtins.Filters.Apply(this, name, value, Arguments(name, arguments));
        return value;
    }

    private void Loop(Statement.For loop, IReadOnlyList<object?> items, int depth)
    {
        if (loop.Condition is { } condition)
        {
            items = [.. items.Where(item => Inner(() =>
            {
                budget.Step();
                Assign(loop.Target, item);
                return PythonOperators.Truth(Evaluate(condition));
            }))];
        }
        var state = new LoopState(items, depth, loop.Recursive ? Recurse(loop, depth) : null);
        for (state.At = 0; state.At < items.Count; state.At++)
        {
            budget.Step();
            var flow = Inner(() =>
            {
                _scope.Set("loop", state);
                Assign(loop.Target, items[state.At]);
                return Run(loop.Body);
            });
            if (flow == Flow.Break) break;
        }
        if (items.Count == 0) Inner(() => Run(loop.Otherwise));
    }

    private Func<object?, string> Recurse(Statement.For loop, int depth)
    {
        var scope = _scope;
        return items =>
        {
            budget.EnterCall();
            var outer = _scope;
            _scope = new Scope(scope);
            var text = Captured(() => Loop(loop, Sequences.Iterate(items), depth + 1));
            _scope = outer;
            budget.LeaveCall();
            return text;
        };
    }

    private void Assign(Target target, object? value)
    {
        switch (target)
        {
            case Target.Name name:
                _scope.Set(name.Text, value);
                break;
            case Target.Attribute attribute:
                if (!_scope.TryGet(attribute.Namespace, out var holder) || holder is not TemplateNamespace space)
                    throw new TemplateFault($"'{attribute.Namespace}' is no namespace, so '{attribute.Text}' cannot be set on it");
                space.Attributes[attribute.Text] = value;
                break;
            case Target.Several several:
                if (value is Undefined missing) throw missing.Fault;
                var parts = Sequences.Iterate(value);
                if (parts.Count != several.Parts.Count) throw new TemplateFault($"{parts.Count} values are unpacked into {several.Parts.Count} names");
                for (var i = 0; i < parts.Count; i++) Assign(several.Parts[i], parts[i]);
                break;
        }
    }
}
