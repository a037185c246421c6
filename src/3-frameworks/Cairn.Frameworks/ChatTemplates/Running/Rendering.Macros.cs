using Cairn.Frameworks.ChatTemplates.Syntax;
using Cairn.Frameworks.ChatTemplates.Values;

namespace Cairn.Frameworks.ChatTemplates.Running;

internal sealed partial class Rendering
{
    private TemplateFunction Macro(string name, MacroSignature signature, IReadOnlyList<Statement> body)
    {
        var defined = _scope;
        return new TemplateFunction(name, arguments =>
        {
            budget.EnterCall();
            var outer = _scope;
            _scope = new Scope(defined);
            try
            {
                Bind(name, signature, arguments);
                return Captured(() => Run(body));
            }
            finally
            {
                _scope = outer;
                budget.LeaveCall();
            }
        });
    }

    private void Bind(string name, MacroSignature signature, Arguments arguments)
    {
        var parameters = signature.Parameters;
        for (var i = 0; i < parameters.Count; i++)
        {
            var (parameter, otherwise) = parameters[i];
            var value = arguments.TryGet(i, parameter, out var given) ? given
                : otherwise is not null ? Evaluate(otherwise) : new Undefined($"the parameter '{parameter}' of {name}");
            _scope.Set(parameter, value);
        }
        _scope.Set("varargs", new TemplateList([.. arguments.Positional.Skip(parameters.Count)], tuple: true));
        var more = new TemplateDict();
        foreach (var (key, value) in arguments.Named)
        {
            if (key == "caller") _scope.Set(key, value);
            else if (!parameters.Any(parameter => parameter.Name == key)) more.Put(key, value);
        }
        _scope.Set("kwargs", more);
    }

    /// <summary>Calls a macro, whose <c>caller()</c> is the block's body.</summary>
    private object? CallWith(Statement.CallBlock block)
    {
        var arguments = Arguments("the call", block.Call.Arguments);
        var named = new Dictionary<string, object?>(arguments.Named,
            StringComparer.Ordinal) { ["caller"] = Macro("caller", block.Signature, block.Body) };
        return Call(Evaluate(block.Call.Target), new Arguments(arguments.Called, arguments.Positional, named));
    }

    private object? Call(object? target, Arguments arguments)
    {
        budget.Step();
        return target switch
        {
            TemplateFunction function => Bounded(function.Call(arguments)),
            LoopState loop => loop.Recurse(arguments.Must(0, "items")),
            Undefined missing => throw missing.Fault,
            _ => throw new TemplateFault($"{PythonText.TypeOf(target)} cannot be called"),
        };
    }

    private object? Bounded(object? value)
    {
        if (value is string text) budget.Text(text);
        else if (value is TemplateList list) budget.Step(list.Items.Count / 4);
        return value;
    }
}
