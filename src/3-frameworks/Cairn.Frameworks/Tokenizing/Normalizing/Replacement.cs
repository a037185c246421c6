using System.Text;
using Cairn.Frameworks.Tokenizing.Reading;
using Cairn.Frameworks.Tokenizing.Splitting;

namespace Cairn.Frameworks.Tokenizing.Normalizing;

/// <summary>Reads <c>Replace</c>, which normalisers and decoders share.</summary>
internal static class Replacement
{
    public static Func<string, string> Read(JsonPlace place)
    {
        var content = place.Field("content").Text();
        var pattern = place.Field("pattern");
        if (pattern.Optional("String") is { } text)
        {
            var wanted = text.Text();
            if (wanted.Length == 0) text.Refuse("a text that is not empty");
            return input => input.Replace(wanted, content, StringComparison.Ordinal);
        }
        var regex = SplitterReader.ReadPattern(pattern.Field("Regex"));
        return input =>
        {
            var output = new StringBuilder(input.Length);
            var search = regex.In(input);
            var done = 0;
            while (search.Next(out var start, out var end))
            {
                output.Append(input, done, start - done).Append(content);
                done = end;
            }
            return done == 0 ? input : output.Append(input, done, input.Length - done).ToString();
        };
    }
}
