namespace Cairn.Contracts.Workloads;

/// <summary>One finding in a workload file, at the place where it is.</summary>
/// <param name="File">The file's name, as the caller gave it.</param>
/// <param name="Line">From 1.</param>
/// <param name="Column">From 1, in UTF-16 units.</param>
/// <param name="Code">One of <see cref="DiagnosticCodes"/>.</param>
/// <param name="Message">Names the thing, what was expected and the nearest right word.</param>
public sealed record Diagnostic(string File, int Line, int Column, string Code, string Message)
{
    /// <summary>A warning does not keep the file from running.</summary>
    public bool IsWarning { get; init; }

    /// <summary>As compilers write it, so that editors jump to it: <c>train.yaml:7:15: error: …</c>.</summary>
    public override string ToString() => $"{File}:{Line}:{Column}: {(IsWarning ? "warning" : "error")}: {Message}";
}

/// <summary>Stable codes of <see cref="Diagnostic"/>: a client may branch on them.</summary>
public static class DiagnosticCodes
{
    /// <summary>The bytes are not text that a workload file may hold.</summary>
    public const string Encoding = "encoding";

    /// <summary>The text is not YAML, or YAML that is not accepted.</summary>
    public const string Syntax = "syntax";

    /// <summary>The file is larger or deeper than the parser reads.</summary>
    public const string Limit = "limit";
    public const string DuplicateKey = "duplicate_key";
    public const string UnknownField = "unknown_field";
    public const string WrongType = "wrong_type";
    public const string InvalidValue = "invalid_value";
    public const string Missing = "missing";

    /// <summary>Two things that cannot both hold.</summary>
    public const string Conflict = "conflict";

    /// <summary>A name that refers to nothing.</summary>
    public const string UnknownName = "unknown_name";

    /// <summary>Steps that need each other.</summary>
    public const string Cycle = "cycle";

    /// <summary>Understood, and refused because running without it would do something else than was written.</summary>
    public const string NotSupported = "not_supported";

    /// <summary>A warning: understood, and not acted on.</summary>
    public const string NotActedOn = "not_acted_on";

    /// <summary>A warning: probably not what was meant.</summary>
    public const string Suspicious = "suspicious";
}
