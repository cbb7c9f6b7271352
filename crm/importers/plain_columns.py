"""The headers of plain CSV files; each column also answers to the names other systems and Chinese sheets give it."""

PRODUCTS: dict[str, tuple[str, ...]] = {
    "sku": ("sku", "StockCode", "product_id", "货号", "商品编码", "编码"),
    "title": ("title", "product", "name", "description_short", "商品名称", "名称", "标题"),
    "price": ("price", "unit_price", "价格", "单价"),
    "currency": ("currency", "币种", "货币"),
    "inventory": ("inventory", "stock", "quantity", "库存"),
    "description": ("description", "描述", "详情"),
    "title_en": ("title_en", "英文名"),
    "title_zh": ("title_zh", "中文名"),
    "type": ("type", "category", "类别", "分类"),
    "tags": ("tags", "标签"),
    "image": ("image", "image_url", "图片"),
    "url": ("url", "link", "链接"),
    "status": ("status", "状态"),
}
CUSTOMERS: dict[str, tuple[str, ...]] = {
    "customer_id": ("customer_id", "customer", "id", "客户编号", "客户ID", "会员号"),
    "name": ("name", "customer_name", "姓名", "客户姓名"),
    "email": ("email", "e-mail", "email_address", "邮箱"),
    "phone": ("phone", "mobile", "telephone", "电话", "手机", "手机号"),
    "country": ("country", "country_code", "国家", "国家/地区"),
    "language": ("language", "语言"),
    "accepts_marketing": ("accepts_marketing", "marketing", "接受营销"),
    "created_at": ("created_at", "since", "注册时间", "创建时间"),
}
ORDERS: dict[str, tuple[str, ...]] = {
    "customer_id": ("customer_id", "customer", "客户编号", "客户ID", "会员号"),
    "date": ("date", "order_date", "InvoiceDate", "created_at", "placed_at", "日期", "下单时间", "下单日期"),
    "amount": ("amount", "line_amount", "line_total", "金额"),
    "price": ("price", "unit_price", "单价"),
    "quantity": ("quantity", "qty", "数量"),
    "sku": ("sku", "StockCode", "货号", "商品编码"),
    "product": ("product", "description", "product_name", "title", "商品", "商品名称"),
    "order_number": ("order_number", "order", "order_id", "Invoice", "InvoiceNo", "订单号", "订单编号"),
    "status": ("status", "order_status", "状态", "订单状态"),
    "name": ("name", "customer_name", "姓名", "客户姓名"),
    "email": ("email", "e-mail", "邮箱"),
    "phone": ("phone", "mobile", "电话", "手机", "手机号"),
    "currency": ("currency", "币种", "货币"),
    "country": ("country", "country_code", "国家", "国家/地区"),
}
