using System.Globalization;
using System.Text;
using Cairn.Frameworks.ChatTemplates.Values;

namespace Cairn.Frameworks.ChatTemplates.Builtins;

/// <summary>
/// Python's <c>str.format</c> with plain fields: <c>{}</c>, <c>{0}</c> and <c>{name}</c>; a field's format may be a number's precision.
/// </summary>
internal static class BraceFormat
{
    public static string Apply(string format, Arguments arguments)
    {
        var output = new StringBuilder();
        var next = 0;
        for (var i = 0; i < format.Length; i++)
        {
            var c = format[i];
            if (c is '{' or '}' && i + 1 < format.Length && format[i + 1] == c)
            {
                output.Append(c);
                i++;
            }
            else if (c == '}') throw new TemplateFault("format has a '}' without its '{'");
            else if (c != '{') output.Append(c);
            else
            {
                var close = format.IndexOf('}', i);
                if (close < 0) throw new TemplateFault("format has a '{' without its '}'");
                output.Append(Field(format[(i + 1)..close], arguments, ref next));
                i = close;
            }
        }
        return output.ToString();
    }

    private static string Field(string field, Arguments arguments, ref int next)
    {
        var colon = field.IndexOf(':', StringComparison.Ordinal);
        var (name, form) = colon < 0 ? (field, "") : (field[..colon], field[(colon + 1)..]);
        var position = name.Length == 0 ? next++ : int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number : -1;
        if (!arguments.TryGet(position, name, out var value)) throw new TemplateFault($"format has no value for '{{{field}}}'");
        if (form.Length == 0) return PythonText.Str(value);
        return form.EndsWith('f') || form is "d" or "s" ? PercentFormat.Apply("%" + form, new TemplateList([value], tuple: true))
            : throw new TemplateFault($"format does not know the form '{form}'");
    }
}
