using Cairn.Contracts.Workloads.Yaml;

namespace Cairn.Contracts.Workloads.Reading;

/// <summary>What one parse carries through the tree.</summary>
internal sealed class ReadContext(Findings findings, WorkloadParserOptions options, string fileName)
{
    private Dictionary<string, YamlScalar> _claims = new(StringComparer.Ordinal);

    public Findings Findings { get; } = findings;

    public WorkloadParserOptions Options { get; } = options;

    public string FileName { get; } = fileName;

    public WorkloadDialect Dialect { get; set; }

    /// <summary>The steps that the inputs of the workload being read name, with their places.</summary>
    public List<FieldValue> StepNames { get; } = [];

    /// <summary>
    /// <see cref="Nearest.Suggestion"/>, as long as an error is still shown: looking for words is what could make a large bad file slow.
    /// </summary>
    public string Near(string word, IEnumerable<string> known) => Findings.IsFull ? "" : Nearest.Suggestion(word, known);

    /// <summary>
    /// Notes that a field of the specification is given by a key. Two keys that give the same field in one workload are an error, as
    /// <c>nodes</c> and <c>num_nodes</c> are.
    /// </summary>
    public bool Claim(string field, YamlScalar key)
    {
        if (_claims.TryAdd(field, key) || ReferenceEquals(_claims[field], key))
            return true;
        var first = _claims[field];
        Findings.Error(
            key, DiagnosticCodes.Conflict, $"'{key.Text}' says again what '{first.Text}' on line {first.Line} says; keep one of them");
        return false;
    }

    /// <summary>Reads with claims of its own: a step, a document, an alternative.</summary>
    public T InScope<T>(Func<T> read)
    {
        var outer = _claims;
        _claims = new(StringComparer.Ordinal);
        try
        {
            return read();
        }
        finally
        {
            _claims = outer;
        }
    }
}
