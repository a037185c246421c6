using System.Diagnostics.CodeAnalysis;

namespace Cairn.Fleet.Catalog.Csv;

/// <summary>A CSV file with a header: finds the known columns in whatever order they stand, and hands out rows.</summary>
internal sealed class CsvTable
{
    private readonly CsvReader _reader;
    private readonly CatalogFindings _errors;
    private readonly int[] _fieldOfColumn;
    private readonly int _width;

    private CsvTable(CsvReader reader, CatalogFindings errors, int[] fieldOfColumn, int width) =>
        (_reader, _errors, _fieldOfColumn, _width) = (reader, errors, fieldOfColumn, width);

    /// <summary>Rows read so far, bad ones included.</summary>
    public long Rows { get; private set; }

    /// <summary>
    /// Reads the header. A column that is missing from <paramref name="columns"/> is an error unless <paramref name="ignoreOthers"/>.
    /// </summary>
    /// <param name="reader">Has just read the header's record.</param>
    public static CsvTable? TryOpen(CsvReader reader, IReadOnlyList<string> columns, bool ignoreOthers, CatalogFindings errors)
    {
        var fieldOfColumn = new int[columns.Count];
        Array.Fill(fieldOfColumn, -1);
        var before = errors.Count;
        for (var i = 0; i < reader.Fields.Count; i++)
        {
            var field = reader.Fields[i];
            var column = IndexOf(columns, field.Text.Trim());
            if (column < 0 && !ignoreOthers)
                errors.Add(field.Line, field.Column, $"unknown column '{Shown(field.Text)}'; known are {string.Join(", ", columns)}");
            else if (column >= 0 && fieldOfColumn[column] >= 0)
                errors.Add(field.Line, field.Column, $"column '{columns[column]}' stands twice");
            else if (column >= 0)
                fieldOfColumn[column] = i;
        }

        return errors.Count > before ? null : new CsvTable(reader, errors, fieldOfColumn, reader.Fields.Count);
    }

    public bool Has(int column) => _fieldOfColumn[column] >= 0;

    /// <summary>Reads on to the next row that has a field for every column; the bad ones between become errors.</summary>
    public bool TryNext([NotNullWhen(true)] out CsvRow? row)
    {
        while (_reader.Read())
        {
            Rows++;
            if (_reader.Fault is { } fault)
                _errors.Add(fault.Line, fault.Column, fault.Message);
            else if (_reader.Fields.Count != _width)
                _errors.Add(_reader.Line, 1, $"{_reader.Fields.Count} fields; the header has {_width}");
            else
            {
                row = new CsvRow(this, _reader.Line);
                return true;
            }
        }

        row = null;
        return false;
    }

    /// <summary>A value as an error message shows it: short, whatever the file holds.</summary>
    public static string Shown(string text) => text.Length <= 40 ? text : text[..40] + "…";

    internal CsvField? Field(int column) => _fieldOfColumn[column] is var i and >= 0 ? _reader.Fields[i] : null;

    internal void Error(int line, int column, string message) => _errors.Add(line, column, message);

    private static int IndexOf(IReadOnlyList<string> columns, string name)
    {
        for (var i = 0; i < columns.Count; i++)
        {
            if (string.Equals(columns[i], name, StringComparison.OrdinalIgnoreCase))
                return i;
        }

        return -1;
    }
}
