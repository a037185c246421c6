using System.Globalization;
using System.Text;

namespace Cairn.Frameworks.Engine.Metrics;

/// <summary>Prometheus' text format 0.0.4, written by hand: the exporters at hand cannot write names with a colon.</summary>
internal sealed class PrometheusText
{
    private readonly StringBuilder _text = new(16 << 10);

    public override string ToString() => _text.ToString();

    /// <summary>Begins a metric; its samples follow at once.</summary>
    /// <param name="type">counter, gauge or histogram.</param>
    public void Family(string name, string type, string help) =>
        _text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n");

    public void Sample(string name, double value, params ReadOnlySpan<(string Name, string Value)> labels)
    {
        _text.Append(name);
        Labels(labels);
        _text.Append(' ').Append(Number(value)).Append('\n');
    }

    public void Histogram(string name, Histogram histogram, params ReadOnlySpan<(string Name, string Value)> labels)
    {
        var total = 0L;
        var counts = histogram.Read();
        for (var i = 0; i < counts.Length; i++)
        {
            total += counts[i];
            var bound = i < histogram.Bounds.Length ? Number(histogram.Bounds[i]) : "+Inf";
            Sample(name + "_bucket", total, [.. labels, ("le", bound)]);
        }

        Sample(name + "_sum", histogram.Sum, labels);
        Sample(name + "_count", total, labels);
    }

    private void Labels(ReadOnlySpan<(string Name, string Value)> labels)
    {
        for (var i = 0; i < labels.Length; i++)
        {
            _text.Append(i == 0 ? '{' : ',').Append(labels[i].Name).Append("=\"");
            foreach (var character in labels[i].Value)
            {
                _ = character switch
                {
                    '\\' => _text.Append(@"\\"),
                    '"' => _text.Append("\\\""),
                    '\n' => _text.Append(@"\n"),
                    _ => _text.Append(character),
                };
            }

            _text.Append('"');
        }

        if (labels.Length > 0)
            _text.Append('}');
    }

    // Python's clients write whole numbers with a decimal; scrapers take both.
    private static string Number(double value) =>
        value == Math.Floor(value) && Math.Abs(value) < 1e15 ? value.ToString("0.0", CultureInfo.InvariantCulture)
            : value.ToString("R", CultureInfo.InvariantCulture);
}
