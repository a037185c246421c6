using Cairn.Contracts.Workloads.Yaml;

namespace Cairn.Contracts.Workloads;

/// <summary>All errors and warnings of one file. Beyond <see cref="Max"/> of a kind the rest is only counted.</summary>
internal sealed class Findings(string file)
{
    public const int Max = 100;

    private readonly List<Diagnostic> _errors = [];
    private readonly List<Diagnostic> _warnings = [];
    private int _moreErrors;

    /// <summary>True where a further error is only counted, so that its message need not be made.</summary>
    public bool IsFull => _errors.Count >= Max;

    public bool HasErrors => _errors.Count > 0;

    public void Error(YamlNode at, string code, string message) => Error(at.Line, at.Column, code, message);

    public void Error(int line, int column, string code, string message)
    {
        if (_errors.Count < Max)
            _errors.Add(new Diagnostic(file, line, column, code, message));
        else
            _moreErrors++;
    }

    public void Warn(YamlNode at, string code, string message)
    {
        if (_warnings.Count < Max)
            _warnings.Add(new Diagnostic(file, at.Line, at.Column, code, message) { IsWarning = true });
    }

    /// <summary>In the order of the file, each once: a shared branch is read as often as it is named.</summary>
    public IReadOnlyList<Diagnostic> Errors()
    {
        var sorted = Sorted(_errors);
        return _moreErrors == 0
            ? sorted
            : [.. sorted, sorted[^1] with { Code = DiagnosticCodes.Limit, Message = $"and {_moreErrors:N0} more errors" }];
    }

    public IReadOnlyList<Diagnostic> Warnings() => Sorted(_warnings);

    private static IReadOnlyList<Diagnostic> Sorted(List<Diagnostic> findings) =>
        [.. findings.Distinct().OrderBy(finding => finding.Line).ThenBy(finding => finding.Column)];
}
