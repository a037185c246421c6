using System.Globalization;
using Cairn.Frameworks.ChatTemplates.Values;

namespace Cairn.Frameworks.ChatTemplates.Builtins;

/// <summary>What may stand after <c>is</c>.</summary>
internal static class Tests
{
    private static readonly Dictionary<string, Func<object?, Arguments, bool>> All = new(StringComparer.Ordinal)
    {
        ["defined"] = (value, _) => value is not Undefined,
        ["undefined"] = (value, _) => value is Undefined,
        ["none"] = (value, _) => value is null,
        ["string"] = (value, _) => value is string,
        ["mapping"] = (value, _) => value is TemplateDict,
        ["iterable"] = (value, _) => value is string or TemplateList or TemplateDict or Undefined,
        ["sequence"] = (value, _) => value is string or TemplateList or TemplateDict or Undefined,
        ["number"] = (value, _) => PythonOperators.IsNumber(value),
        ["integer"] = (value, _) => PythonOperators.IsWhole(value) && value is not bool,
        ["float"] = (value, _) => value is double,
        ["boolean"] = (value, _) => value is bool,
        ["true"] = (value, _) => value is true,
        ["false"] = (value, _) => value is false,
        ["callable"] = (value, _) => value is TemplateFunction or Running.LoopState,
        ["odd"] = (value, _) => !PythonOperators.Whole(value).IsEven,
        ["even"] = (value, _) => PythonOperators.Whole(value).IsEven,
        ["divisibleby"] = (value, with) => PythonOperators.Same(PythonOperators.Binary("%", value, with.Must(0, "num")), 0L),
        ["lower"] = (value, _) => StringMethods.IsCase(PythonText.Str(value), UnicodeCategory.LowercaseLetter,
            UnicodeCategory.UppercaseLetter),
        ["upper"] = (value, _) => StringMethods.IsCase(PythonText.Str(value), UnicodeCategory.UppercaseLetter,
            UnicodeCategory.LowercaseLetter),
        ["in"] = (value, with) => PythonOperators.Contains(with.Must(0, "seq"), value),
        ["sameas"] = (value, with) => Identical(value, with.Must(0, "other")),
        ["filter"] = (value, _) => value is string name && Filters.Exists(name),
        ["test"] = (value, _) => value is string name && Exists(name),
        ["escaped"] = (_, _) => false,
        ["eq"] = (value, with) => PythonOperators.Same(value, with.Must(0, "other")),
        ["ne"] = (value, with) => !PythonOperators.Same(value, with.Must(0, "other")),
        ["lt"] = (value, with) => PythonOperators.Order(value, with.Must(0, "other")) < 0,
        ["le"] = (value, with) => PythonOperators.Order(value, with.Must(0, "other")) <= 0,
        ["gt"] = (value, with) => PythonOperators.Order(value, with.Must(0, "other")) > 0,
        ["ge"] = (value, with) => PythonOperators.Order(value, with.Must(0, "other")) >= 0,
    };

    private static readonly Dictionary<string, string> OtherNames = new(StringComparer.Ordinal)
    {
        ["equalto"] = "eq", ["=="] = "eq", ["!="] = "ne", ["<"] = "lt", ["lessthan"] = "lt", ["<="] = "le", [">"] = "gt",
            ["greaterthan"] = "gt", [">="] = "ge",
    };

    public static bool Exists(string name) => All.ContainsKey(name) || OtherNames.ContainsKey(name);

    public static bool Holds(string name, object? value, Arguments arguments) =>
        All.TryGetValue(OtherNames.GetValueOrDefault(name, name), out var test) ? test(value, arguments)
            : throw new TemplateFault($"there is no test '{name}'");

    private static bool Identical(object? value, object? other) => (value, other) switch
    {
        (bool one, bool two) => one == two,
        (bool, _) or (_, bool) => false,
        _ => ReferenceEquals(value, other) || (value is string or long && value.Equals(other)),
    };
}
