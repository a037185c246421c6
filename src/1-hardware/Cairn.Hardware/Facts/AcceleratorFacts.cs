namespace Cairn.Hardware.Facts;

/// <summary>
/// What a vendor's data sheet says of one accelerator. Rates are dense peaks: where a vendor prints them with sparsity, they are halved and
/// <see cref="Note"/> says so. A figure that the vendor does not publish is null, never a guess.
/// </summary>
public sealed record AcceleratorFacts
{
    /// <summary>Canonical name, such as <c>H100-SXM-80GB</c>: upper case, words joined by hyphens, a family's name first.</summary>
    public required string Name { get; init; }

    /// <summary>
    /// Lower case: <c>nvidia</c>, <c>amd</c>, <c>intel</c>, <c>google</c>, <c>aws</c>, <c>groq</c>, <c>cerebras</c>, <c>apple</c>.
    /// </summary>
    public required string Vendor { get; init; }

    public required string Architecture { get; init; }

    /// <summary>The year in which it could first be bought or rented.</summary>
    public required int ReleaseYear { get; init; }

    /// <summary>As sold, in bytes: a "80 GB" card counts 80 × 10⁹. Drivers report some percent more or less.</summary>
    public required long MemoryBytes { get; init; }

    /// <summary>Such as <c>HBM3</c>.</summary>
    public required string MemoryKind { get; init; }

    /// <summary>Bytes per second.</summary>
    public required double MemoryBandwidth { get; init; }

    /// <summary>FLOP/s in double precision outside matrix units.</summary>
    public double? Fp64 { get; init; }

    /// <summary>FLOP/s in single precision outside matrix units.</summary>
    public double? Fp32 { get; init; }

    /// <summary>Dense FLOP/s of the matrix units.</summary>
    public double? Tf32 { get; init; }

    /// <inheritdoc cref="Tf32"/>
    public double? Bf16 { get; init; }

    /// <inheritdoc cref="Tf32"/>
    public double? Fp16 { get; init; }

    /// <inheritdoc cref="Tf32"/>
    public double? Fp8 { get; init; }

    /// <inheritdoc cref="Tf32"/>
    public double? Fp4 { get; init; }

    /// <summary>Dense integer operations per second.</summary>
    public double? Int8 { get; init; }

    /// <inheritdoc cref="Int8"/>
    public double? Int4 { get; init; }

    /// <summary>The TOPS figure that the vendor advertises (10¹² operations per second), sparse or not: see <see cref="Note"/>.</summary>
    public double? AdvertisedTops { get; init; }

    /// <summary>The link to its neighbours, such as <c>NVLink 4</c>; null where there is none.</summary>
    public string? Interconnect { get; init; }

    /// <summary>Bytes per second of that link, both directions together, per accelerator.</summary>
    public double? InterconnectBandwidth { get; init; }

    public double? TdpWatts { get; init; }

    /// <summary>Other names of the same thing: of public catalogues, of drivers, and PCI ids (<c>vendor:device</c>).</summary>
    public required IReadOnlyList<string> Aliases { get; init; }

    /// <summary>The document that the figures come from.</summary>
    public required string DataSheet { get; init; }

    public required string DataSheetUrl { get; init; }

    /// <summary>What the figures leave out; null where nothing needs saying.</summary>
    public string? Note { get; init; }
}
