namespace Cairn.Fleet.Catalog;

/// <summary>Collects findings while a file is read; keeps a bounded number and counts all.</summary>
internal sealed class CatalogFindings
{
    private readonly List<CatalogFinding> _listed = [];

    public IReadOnlyList<CatalogFinding> Listed => _listed;

    public long Count { get; private set; }

    public void Add(int line, int column, string message)
    {
        Count++;
        if (_listed.Count < CatalogImportResult.MaxListed)
            _listed.Add(new CatalogFinding(line, column, message));
    }
}
